import type { JoinRule } from '../layer-rule.ts';

export const add: JoinRule = { flow: 'join', noun: 'addition' };
export const average: JoinRule = { flow: 'join', noun: 'average' };
export const maximum: JoinRule = { flow: 'join', noun: 'maximum' };
export const minimum: JoinRule = { flow: 'join', noun: 'minimum' };
export const multiply: JoinRule = { flow: 'join', noun: 'product' };
