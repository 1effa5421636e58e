export type { Batch, BatchSource } from './data.ts';
export { type LayerNode, readNodes } from './graph/nodes.ts';
export { ZeroPadShortcut, type ZeroPadShortcutConfig } from './layers/zero-pad-shortcut.ts';
