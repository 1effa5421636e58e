/** @throws Error naming the option, unless it lies in [0, 1]. */
export function checkShare(name: string, value: number): void {
  if (!(value >= 0 && value <= 1)) throw new Error(`${name} must lie between 0 and 1, but is ${value}.`);
}

/** @throws Error naming the option, unless it is a whole number of at least `least`. */
export function checkCount(name: string, value: number, least = 1): void {
  if (Number.isInteger(value) && value >= least) return;
  throw new Error(`${name} must be a whole number of at least ${least}, but is ${value}.`);
}

/** For callers that no compiler checks. @throws Error naming the option, unless it is one of the choices. */
export function checkChoice(name: string, value: string, choices: readonly string[]): void {
  if (choices.includes(value)) return;
  throw new Error(`${name} must be one of ${choices.map((choice) => `'${choice}'`).join(', ')}, but is '${value}'.`);
}
