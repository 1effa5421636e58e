import type { Layer } from '@tensorflow/tfjs-layers/dist/engine/topology.js';
import type { Operation } from '../operation.ts';
import { identity, relu } from './activation.ts';
import { anyLayer } from './any-layer.ts';
import { batchNormalization } from './batch-normalization.ts';
import { conv2d } from './conv2d.ts';
import { dense } from './dense.ts';
import { dropout } from './dropout.ts';
import { averagePooling2d, globalAveragePooling2d, maxPooling2d } from './pooling.ts';
import { add, flatten, zeroPadding2d } from './structure.ts';

/** One entry for each layer class that has an operation of its own; every other layer runs as {@link anyLayer}. */
const OPERATIONS: Readonly<Record<string, (layer: Layer) => Operation>> = {
  Add: () => add,
  AveragePooling2D: averagePooling2d,
  BatchNormalization: (layer) => (isLastAxis(layer) ? batchNormalization(layer) : anyLayer(layer)),
  Conv2D: (layer) => (isDilated(layer) ? anyLayer(layer) : conv2d(layer)),
  Dense: (layer) => (inputRank(layer) === 2 ? dense(layer) : anyLayer(layer)),
  Dropout: dropout,
  Flatten: () => flatten,
  GlobalAveragePooling2D: () => globalAveragePooling2d,
  InputLayer: () => identity,
  MaxPooling2D: maxPooling2d,
  ReLU: (layer) => (layer.getConfig().maxValue == null ? relu : anyLayer(layer)),
  ZeroPadding2D: zeroPadding2d,
};

const ACTIVATIONS: Readonly<Record<string, Operation>> = { linear: identity, relu };

export function operationOf(layer: Layer): Operation {
  const className = layer.getClassName();
  if (className === 'Activation') return ACTIVATIONS[activationName(layer)] ?? anyLayer(layer);
  return OPERATIONS[className]?.(layer) ?? anyLayer(layer);
}

/** Name of the activation that a layer applies, whether it is its own layer or part of a Conv2D or Dense. */
export function activationName(layer: Layer): string {
  return (layer.getConfig().activation as string | undefined) ?? 'linear';
}

function isDilated(layer: Layer): boolean {
  return (layer.getConfig().dilationRate as number[]).some((rate) => rate !== 1);
}

function isLastAxis(layer: Layer): boolean {
  const axis = layer.getConfig().axis as number;
  return axis === -1 || axis === inputRank(layer) - 1;
}

function inputRank(layer: Layer): number {
  return layer.inboundNodes[0]!.inputTensors[0]!.rank;
}
