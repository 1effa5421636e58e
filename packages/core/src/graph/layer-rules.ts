import type { LayerRule } from './layer-rule.ts';
import { attention } from './rules/attention.ts';
import { concatenate } from './rules/concatenate.ts';
import { convolution, transposedConvolution } from './rules/convolution.ts';
import { dense } from './rules/dense.ts';
import { depthwiseConvolution } from './rules/depthwise-convolution.ts';
import { activation, elementwise, relu, softmax } from './rules/elementwise.ts';
import { inputLayer } from './rules/input-layer.ts';
import { join } from './rules/joins.ts';
import { batchNormalization, layerNormalization } from './rules/normalization.ts';
import { parametricRelu, positionEmbedding } from './rules/per-channel.ts';
import { flatten, permute, reshape } from './rules/reshape.ts';
import { separableConvolution } from './rules/separable-convolution.ts';
import { maxPooling2d, spatial } from './rules/spatial.ts';
import { zeroPadShortcut } from './rules/zero-pad-shortcut.ts';

/** The layer classes that the channel graph knows. A class that is missing here freezes the channels that reach it. */
const RULES: ReadonlyMap<string, LayerRule> = new Map<string, LayerRule>([
  ['Activation', activation],
  ['Add', join('addition')],
  ['AlphaDropout', elementwise],
  ['Average', join('average')],
  ['AveragePooling1D', spatial],
  ['AveragePooling2D', spatial],
  ['AveragePooling3D', spatial],
  ['BatchNormalization', batchNormalization],
  ['Concatenate', concatenate],
  ['Conv1D', convolution],
  ['Conv2D', convolution],
  ['Conv2DTranspose', transposedConvolution],
  ['Conv3D', convolution],
  ['Conv3DTranspose', transposedConvolution],
  ['Cropping2D', spatial],
  ['Dense', dense],
  ['DepthwiseConv2D', depthwiseConvolution],
  ['Dropout', elementwise],
  ['ELU', elementwise],
  ['Flatten', flatten],
  ['GaussianDropout', elementwise],
  ['GaussianNoise', elementwise],
  ['GlobalAveragePooling1D', spatial],
  ['GlobalAveragePooling2D', spatial],
  ['GlobalMaxPooling1D', spatial],
  ['GlobalMaxPooling2D', spatial],
  ['InputLayer', inputLayer],
  ['LayerNormalization', layerNormalization],
  ['LeakyReLU', elementwise],
  ['MaxPooling1D', spatial],
  ['MaxPooling2D', maxPooling2d],
  ['MaxPooling3D', spatial],
  ['Maximum', join('maximum')],
  ['Minimum', join('minimum')],
  ['Multiply', join('product')],
  ['PReLU', parametricRelu],
  ['Permute', permute],
  ['PositionEmbedding', positionEmbedding],
  ['ReLU', relu],
  ['RepeatVector', spatial],
  ['Rescaling', elementwise],
  ['Reshape', reshape],
  ['SelfAttention', attention],
  ['SeparableConv2D', separableConvolution],
  ['Softmax', softmax],
  ['SpatialDropout1D', elementwise],
  ['ThresholdedReLU', elementwise],
  ['UpSampling2D', spatial],
  ['ZeroPadShortcut', zeroPadShortcut],
  ['ZeroPadding2D', spatial],
]);

export function ruleOf(className: string): LayerRule | undefined {
  return RULES.get(className);
}
