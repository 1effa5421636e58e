import { expect, it } from 'vitest';
import { requireReached } from './require-reached.ts';

it('lets pass what is within two points of its target, and names what is not', () => {
  const base = { macs: 1000 };
  requireReached(0.5, { base, pruned: { macs: 515 } }, 'vgg11, seed 0');
  requireReached(0.5, { base, pruned: { macs: 300 } }, 'vgg11, seed 0');
  expect(() => requireReached(0.7, { base, pruned: { macs: 613 } }, 'resnet20, seed 1')).toThrow(
    'resnet20, seed 1: expected 70.00 % of the MACs to be removed, but only 38.70 % could be. Lower the target',
  );
});
