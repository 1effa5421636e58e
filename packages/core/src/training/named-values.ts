import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';

/** Copies of tensors, in float32, with the names that they have in a model. */
export type NamedValues = readonly {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}[];

/** The values of tensors, copied out of the engine. */
export function readValues(tensors: Iterable<readonly [name: string, tensor: tf.Tensor]>): NamedValues {
  return Array.from(tensors, ([name, tensor]) => ({
    name,
    shape: [...tensor.shape],
    // Some engines hand out the memory that they compute in.
    values: Float32Array.from(tensor.dataSync()),
  }));
}

/** The weights of a model in its own order, moving statistics among them. */
export function readWeights(model: LayersModel): NamedValues {
  return readValues(weightsOf(model));
}

/**
 * Writes them back.
 *
 * @throws Error when the values are those of another model; this one is then as it was.
 */
export function writeWeights(model: LayersModel, values: NamedValues): void {
  const weights = weightsOf(model);
  const describe = (entry: { readonly name: string; readonly shape: readonly number[] } | undefined) =>
    entry ? `'${entry.name}' [${entry.shape}]` : 'nothing';
  for (let i = 0; i < Math.max(weights.length, values.length); i++) {
    const own = weights[i] && { name: weights[i]![0], shape: weights[i]![1].shape };
    if (describe(own) === describe(values[i])) continue;
    throw new Error(
      `Expected values for the weights of '${model.name}', whose number ${i + 1} is ${describe(own)}, but found ${describe(values[i])}: they were taken from another model.`,
    );
  }
  weights.forEach(([, variable], i) => {
    const tensor = tf.tensor(values[i]!.values, variable.shape);
    variable.assign(tensor);
    tensor.dispose();
  });
}

function weightsOf(model: LayersModel): [name: string, variable: tf.Variable][] {
  return model.weights.map((weight) => [weight.originalName, weight.read() as tf.Variable]);
}
