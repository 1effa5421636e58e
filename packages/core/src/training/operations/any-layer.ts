import * as tf from '@tensorflow/tfjs-core';
import type { Layer } from '@tensorflow/tfjs-layers/dist/engine/topology.js';
import type { Forward, Operation, TrainableWeight } from '../operation.ts';
import { trainableWeight } from './weights.ts';

/**
 * Any layer without an operation of its own: its forward pass is computed again under tfjs's tape when the gradient is
 * due. Right for every layer whose output depends on its inputs and weights alone; in training, `forward` refuses the others.
 */
export function anyLayer(layer: Layer): Operation {
  const weights = layer.weights.flatMap((_, index) => trainableWeight(layer, index));
  const unrepeatable = findUnrepeatable(layer);
  return repeated(weights, (inputs, training) => {
    if (training && unrepeatable) throw refusal(layer, unrepeatable);
    const output = layer.call(inputs.length === 1 ? inputs[0]! : [...inputs], { training }) as tf.Tensor | tf.Tensor[];
    return Array.isArray(output) ? output[0]! : output;
  });
}

/** What `call` computes from its inputs and these weights, computed once more for the gradient. */
export function repeated(
  weights: readonly TrainableWeight[],
  call: (inputs: readonly tf.Tensor[], training: boolean) => tf.Tensor,
): Operation {
  return {
    trainable: weights,
    forward(inputs, mode): Forward {
      const training = mode === 'training';
      const saved = inputs.map((x) => tf.clone(x));
      return {
        output: tf.clone(call(inputs, training)),
        saved,
        backward: (dy, wanted) => {
          const inputs = wanted.inputs ? saved : [];
          const variables = wanted.weights ? weights.map((weight) => weight.variable) : [];
          const again = () => call(saved, training);
          const { grads } = tf.engine().gradients(again, [...inputs, ...variables], dy, true);
          // Cloned, because the gradient of a layer that returns its input is dy itself.
          const gradients = grads.map((gradient) => tf.clone(gradient));
          return { inputs: gradients.slice(0, inputs.length), weights: gradients.slice(inputs.length) };
        },
      };
    },
  };
}

/** Layers that in training draw random numbers or move their statistics each time that they are computed. */
const UNREPEATABLE = new Set([
  'AlphaDropout',
  'BatchNormalization',
  'Dropout',
  'GaussianDropout',
  'GaussianNoise',
  'SpatialDropout1D',
]);

/** The layer itself, or such a layer that it wraps. */
function findUnrepeatable(layer: Layer): Layer | undefined {
  if (UNREPEATABLE.has(layer.getClassName()) || dropsUnits(layer)) return layer;
  const { layer: wrapped } = layer as Layer & { readonly layer?: Layer };
  return wrapped && findUnrepeatable(wrapped);
}

/** Recurrent and attention layers with dropout of their own. */
function dropsUnits(layer: Layer): boolean {
  const { dropout, recurrentDropout } = layer.getConfig();
  return Number(dropout ?? 0) > 0 || Number(recurrentDropout ?? 0) > 0;
}

function refusal(layer: Layer, unrepeatable: Layer): Error {
  const inside = unrepeatable === layer ? '' : ` inside layer '${layer.name}'`;
  return new Error(
    `Expected layers that compute the same twice, because their gradient needs it, but in training layer '${unrepeatable.name}' (${unrepeatable.getClassName()})${inside} does not. ` +
      'For training, use Dropout, and BatchNormalization over the last axis, directly in the model, or leave the layer out; prediction and scoring work as it is.',
  );
}
