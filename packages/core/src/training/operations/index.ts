import { layers } from '@tensorflow/tfjs-layers';
import type { Layer } from '@tensorflow/tfjs-layers/dist/engine/topology.js';
import type { Operation } from '../operation.ts';
import { gelu, identity, relu, relu6 } from './activation.ts';
import { anyLayer } from './any-layer.ts';
import { batchNormalization } from './batch-normalization.ts';
import { conv2d } from './conv2d.ts';
import { dense } from './dense.ts';
import { depthwiseConv2d } from './depthwise-conv2d.ts';
import { dropout } from './dropout.ts';
import { layerNormalization } from './layer-normalization.ts';
import { averagePooling2d, globalAveragePooling2d, maxPooling2d } from './pooling.ts';
import { selfAttention } from './self-attention.ts';
import { add, concatenate, flatten, zeroPadding2d } from './structure.ts';
import { zeroPadShortcut } from './zero-pad-shortcut.ts';

type ActivationName = Parameters<typeof layers.activation>[0]['activation'];

/**
 * One entry for each layer class that has an operation of its own, without its activation; `undefined` for a layer that the
 * operation does not cover. Every other layer runs as {@link anyLayer}.
 */
const OPERATIONS: Readonly<Record<string, (layer: Layer) => Operation | readonly Operation[] | undefined>> = {
  Activation: () => identity,
  Add: () => add,
  AveragePooling2D: averagePooling2d,
  BatchNormalization: (layer) => (isLastAxis(layer) ? batchNormalization(layer) : undefined),
  Concatenate: (layer) => (isLastAxis(layer) ? concatenate : undefined),
  Conv2D: (layer) => (isDilated(layer) ? undefined : conv2d(layer)),
  Dense: dense,
  DepthwiseConv2D: (layer) => (isDilated(layer) || isChannelsFirst(layer) ? undefined : depthwiseConv2d(layer)),
  Dropout: dropout,
  Flatten: () => flatten,
  GlobalAveragePooling2D: () => globalAveragePooling2d,
  InputLayer: () => identity,
  LayerNormalization: (layer) => (isLastAxis(layer) ? layerNormalization(layer) : undefined),
  MaxPooling2D: maxPooling2d,
  SelfAttention: selfAttention,
  ReLU: (layer) => RELU_BY_MAXIMUM.get((layer.getConfig().maxValue as number | null | undefined) ?? Infinity),
  ZeroPadding2D: zeroPadding2d,
  ZeroPadShortcut: zeroPadShortcut,
};

const ACTIVATIONS: Readonly<Record<string, Operation>> = { gelu, relu, relu6 };

const RELU_BY_MAXIMUM: ReadonlyMap<number, Operation> = new Map([
  [6, relu6],
  [Infinity, relu],
]);

/** What a layer computes, one operation after the other: first the layer itself, then the activation that it applies. */
export function operationsOf(layer: Layer): readonly Operation[] {
  const operation = OPERATIONS[layer.getClassName()]?.(layer);
  if (!operation) return [anyLayer(layer)];
  const own = [operation].flat();
  const activation = activationName(layer);
  if (activation === 'linear') return own;
  const applied = ACTIVATIONS[activation] ?? anyLayer(layers.activation({ activation }));
  return own[0] === identity ? [applied] : [...own, applied];
}

/** Name of the activation that a layer applies, whether it is its own layer or part of a Conv2D or Dense. */
export function activationName(layer: Layer): ActivationName {
  return (layer.getConfig().activation as ActivationName | undefined) ?? 'linear';
}

function isDilated(layer: Layer): boolean {
  return (layer.getConfig().dilationRate as number[]).some((rate) => rate !== 1);
}

function isChannelsFirst(layer: Layer): boolean {
  return layer.getConfig().dataFormat === 'channelsFirst';
}

/** LayerNormalization lists its axes, BatchNormalization and Concatenate name one. */
function isLastAxis(layer: Layer): boolean {
  const axes = [layer.getConfig().axis].flat();
  return axes.length === 1 && (axes[0] === -1 || axes[0] === inputRank(layer) - 1);
}

function inputRank(layer: Layer): number {
  return layer.inboundNodes[0]!.inputTensors[0]!.rank;
}
