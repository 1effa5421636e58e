import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type NamedValues, readValues } from './named-values.ts';

/** A model's weights as they were, moving statistics among them. */
export interface WeightSnapshot {
  /** Writes them back; the snapshot stays valid. */
  restore(): void;
  /** Copies them out of the engine. */
  read(): NamedValues;
  dispose(): void;
}

export function snapshotWeights(model: LayersModel): WeightSnapshot {
  const variables = weightVariables(model);
  const values = variables.map((variable) => tf.clone(variable));
  const names = model.weights.map(({ originalName }) => originalName);
  return {
    restore: () => variables.forEach((variable, i) => void variable.assign(values[i]!)),
    read: () => readValues(values.map((value, i) => [names[i]!, value])),
    dispose: () => tf.dispose(values),
  };
}

/** Whether no weight holds NaN or an infinity; one pass over the weights. */
export function hasFiniteWeights(model: LayersModel): boolean {
  return tf.tidy(() => {
    // 0 times a finite number is 0, and NaN otherwise.
    const zeros = weightVariables(model).map((variable) => tf.sum(tf.mul(variable, 0)));
    return zeros.length === 0 || tf.addN(zeros).dataSync()[0] === 0;
  });
}

function weightVariables(model: LayersModel): tf.Variable[] {
  return model.weights.map((weight) => weight.read() as tf.Variable);
}
