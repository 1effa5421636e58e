/** Whether the addon was built from other sources than those that lie here. */
export function isOutdated(): boolean;
