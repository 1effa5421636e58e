import * as tf from '@tensorflow/tfjs-core';

type Inputs = tf.NamedTensorMap;
type Attributes = tf.NamedAttrMap;

/**
 * Runs a fused kernel of the active engine, or returns undefined when the engine has none of that name; the caller then
 * composes plain ops. Engines and core meet only here, in tfjs's kernel registry.
 */
export function runFused(kernelName: string, inputs: Inputs, attributes: Attributes = {}): tf.Tensor[] | undefined {
  if (!tf.getKernel(kernelName, tf.getBackend())) return undefined;
  const outputs: tf.Tensor | tf.Tensor[] = tf.engine().runKernel(kernelName, inputs, attributes);
  return Array.isArray(outputs) ? outputs : [outputs];
}
