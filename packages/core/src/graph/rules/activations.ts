import { activationFlops, outputSize, type PassRule, softmaxOf } from '../layer-rule.ts';

/** An activation layer whose function is named in its config. */
export const activation: PassRule = {
  flow: 'pass',
  obstacle: softmaxOf,
  cost: (node) => ({ macs: 0, authorsFlops: activationFlops(node) }),
};

export const relu: PassRule = {
  flow: 'pass',
  cost: (node) => ({ macs: 0, authorsFlops: outputSize(node) }),
};
