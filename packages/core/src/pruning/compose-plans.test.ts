import { describe, expect, it } from 'vitest';
import { composePlans } from './compose-plans.ts';

const plan = (remove: Record<string, number[]>) => ({ version: 1, remove }) as const;

describe('composePlans', () => {
  it('gives filters the numbers of the first network', () => {
    // Of 0 1 2 3 4 5 6, 1 and 4 go; of 0 2 3 5 6, positions 1 and 3 are 2 and 5; of 0 3 6, position 2 is 6.
    const plans = [plan({ a: [1, 4] }), plan({ a: [1, 3], b: [0] }), plan({ a: [2] })];
    expect(composePlans(plans)).toEqual(plan({ a: [1, 2, 4, 5, 6], b: [0] }));
  });

  it('refuses what is no plan', () => {
    expect(() => composePlans([plan({}), {} as never])).toThrow('must have version 1');
    expect(() => composePlans([plan({ a: ['x'] as never })])).toThrow('filter "x" of layer \'a\'');
  });

  it('gives an empty plan for none, and takes any layer name', () => {
    expect(composePlans([])).toEqual(plan({}));
    const odd = plan(JSON.parse('{"__proto__": [0], "constructor": [1]}'));
    expect(Object.entries(composePlans([odd, odd]).remove)).toEqual([
      ['__proto__', [0, 1]],
      ['constructor', [1, 2]],
    ]);
  });
});
