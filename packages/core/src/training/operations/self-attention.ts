import type * as tf from '@tensorflow/tfjs-core';
import type { Layer } from '@tensorflow/tfjs-layers/dist/engine/topology.js';
import type { SelfAttention } from '../../layers/self-attention.ts';
import type { Operation } from '../operation.ts';
import { repeated } from './any-layer.ts';
import { projection } from './dense.ts';
import { trainableWeight } from './weights.ts';

/** Kernels and biases of query, key and value come before those of the output projection. */
const OUTPUT_KERNEL = 6;

/** In two operations, so that what each head puts out can be seen between them. */
export function selfAttention(layer: Layer): readonly Operation[] {
  const attention = layer as SelfAttention;
  const weights = Array.from({ length: OUTPUT_KERNEL }, (_, index) =>
    trainableWeight(layer, index, index % 2 === 0 ? 'kernel' : 'other'),
  );
  return [repeated(weights.flat(), ([x]) => attention.attend(x as tf.Tensor3D)), projection(layer, OUTPUT_KERNEL)];
}
