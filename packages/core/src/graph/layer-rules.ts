import type { LayerRule } from './layer-rule.ts';
import { activation, relu } from './rules/activations.ts';
import { batchNormalization } from './rules/batch-normalization.ts';
import { conv2d } from './rules/conv2d.ts';
import { dense } from './rules/dense.ts';
import { flatten } from './rules/flatten.ts';
import { add, average, maximum, minimum, multiply } from './rules/joins.ts';
import { maxPooling, spatial, unchanged } from './rules/pass-through.ts';
import { zeroPadShortcut } from './rules/zero-pad-shortcut.ts';

/** The layer classes that the channel graph knows. A class that is missing here freezes the channels that reach it. */
const RULES: ReadonlyMap<string, LayerRule> = new Map<string, LayerRule>([
  ['Activation', activation],
  ['Add', add],
  ['AlphaDropout', unchanged],
  ['Average', average],
  ['AveragePooling2D', spatial],
  ['BatchNormalization', batchNormalization],
  ['Conv2D', conv2d],
  ['Cropping2D', spatial],
  ['Dense', dense],
  ['Dropout', unchanged],
  ['ELU', unchanged],
  ['Flatten', flatten],
  ['GaussianDropout', unchanged],
  ['GaussianNoise', unchanged],
  ['GlobalAveragePooling2D', spatial],
  ['GlobalMaxPooling2D', spatial],
  ['InputLayer', unchanged],
  ['LeakyReLU', unchanged],
  ['MaxPooling2D', maxPooling],
  ['Maximum', maximum],
  ['Minimum', minimum],
  ['Multiply', multiply],
  ['ReLU', relu],
  ['ThresholdedReLU', unchanged],
  ['UpSampling2D', spatial],
  ['ZeroPadShortcut', zeroPadShortcut],
  ['ZeroPadding2D', spatial],
]);

export function ruleOf(className: string): LayerRule | undefined {
  return RULES.get(className);
}
