import { describe, expect, it } from 'vitest';
import { check } from '../fuzz/check.ts';
import { FAMILIES } from '../fuzz/families/index.ts';
import { supervise } from '../fuzz/invalid/supervise.ts';

describe('drawn cases agree with tfjs-backend-cpu, gradients included', () => {
  it.each(FAMILIES.map((family) => [family.name, family] as const))('%s', async (name, family) => {
    const { failure, compared, refused } = await check(family, { cases: 12, seed: 20_240 });
    expect(failure && `${failure.reason}: npm run fuzz -- --only ${name} --seed 20240 --path ${failure.path}`).toBe(
      undefined,
    );
    // A family whose every case cpu refuses would compare nothing.
    expect(compared).toBeGreaterThan(refused);
  });
});

describe('no call ends the process, hangs or fills the memory', () => {
  it.each(['native', 'kernels', 'tasks', 'workers'] as const)('%s', async (mode) => {
    expect(await supervise(mode, { calls: 300, seed: 1 })).toEqual([]);
  });
});
