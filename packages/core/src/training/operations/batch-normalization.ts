import * as tf from '@tensorflow/tfjs-core';
import type { Layer } from '@tensorflow/tfjs-layers/dist/engine/topology.js';
import { batchNormInference, batchNormInferenceGrad } from '../../kernels/batch-norm-inference.ts';
import {
  activate,
  type BatchNormActivation,
  batchNormTraining,
  batchNormTrainingGrad,
  gate,
} from '../../kernels/batch-norm-training.ts';
import type { Forward, Operation } from '../operation.ts';
import { layerVariables, trainableWeight } from './weights.ts';

interface BatchNormVariables {
  readonly scale: tf.Tensor1D;
  readonly offset: tf.Tensor1D;
  readonly movingMean: tf.Variable<tf.Rank.R1>;
  readonly movingVariance: tf.Variable<tf.Rank.R1>;
}

/**
 * BatchNormalization over the last axis, with what follows it folded in: an addition (`residual`: the operation then has
 * a second input) and a ReLU or ReLU6. One pass over the activations instead of three.
 */
export function batchNormalization(
  layer: Layer,
  { activation = 'linear', residual = false }: { activation?: BatchNormActivation; residual?: boolean } = {},
): Operation {
  const config = layer.getConfig() as { epsilon: number; momentum: number; scale: boolean; center: boolean };
  const { epsilon, momentum } = config;
  const offsetIndex = config.scale ? 1 : 0;
  const scaleWeights = config.scale ? trainableWeight(layer, 0) : [];
  const offsetWeights = config.center ? trainableWeight(layer, offsetIndex) : [];

  const variables = (): BatchNormVariables => {
    const all = layerVariables(layer) as tf.Variable<tf.Rank.R1>[];
    const [movingMean, movingVariance] = all.slice(-2) as [tf.Variable<tf.Rank.R1>, tf.Variable<tf.Rank.R1>];
    return {
      scale: config.scale ? all[0]! : tf.onesLike(movingMean),
      offset: config.center ? all[offsetIndex]! : tf.zerosLike(movingMean),
      movingMean,
      movingVariance,
    };
  };

  const train = (x: tf.Tensor, shortcut: tf.Tensor | undefined, momentum: number): Forward => {
    const { scale, offset, movingMean, movingVariance } = variables();
    const result = batchNormTraining(
      { x, scale, offset, movingMean, movingVariance, residual: shortcut },
      { epsilon, momentum, activation },
    );
    const saved = { x: tf.clone(x), y: tf.clone(result.y), mean: result.mean, inverseStd: result.inverseStd };
    return {
      output: result.y,
      saved: Object.values(saved),
      updates: [
        {
          movingMean,
          movingVariance,
          mean: result.movingMean,
          variance: result.movingVariance,
          samples: x.size / movingMean.size,
        },
      ],
      backward: (dy, wanted) => {
        const gradients = batchNormTrainingGrad({ dy, ...saved, scale: variables().scale }, { activation, residual });
        return {
          inputs: wanted.inputs ? [gradients.dx, ...(residual ? [gradients.dResidual!] : [])] : [],
          weights: wanted.weights
            ? [...scaleWeights.map(() => gradients.dScale), ...offsetWeights.map(() => gradients.dOffset)]
            : [],
        };
      },
    };
  };

  const infer = (x: tf.Tensor, shortcut: tf.Tensor | undefined): Forward => {
    const { scale, offset, movingMean, movingVariance } = variables();
    let output = tf.batchNorm(x, movingMean, movingVariance, offset, scale, epsilon) as tf.Tensor;
    if (shortcut) output = tf.add(output, shortcut);
    output = activate(output, activation);
    const saved = [tf.clone(x), tf.clone(output)] as const;
    return {
      output,
      saved,
      backward: (dy, wanted) => {
        const gated = gate(dy, saved[1], activation);
        const inverseStd = tf.rsqrt(tf.add(movingVariance, epsilon));
        const dScale = () => {
          const normalised = tf.mul(tf.sub(saved[0], movingMean), inverseStd);
          return sumOverPositions(tf.mul(gated, normalised));
        };
        return {
          inputs: wanted.inputs
            ? [tf.mul(gated, tf.mul(variables().scale, inverseStd)), ...(residual ? [tf.clone(gated)] : [])]
            : [],
          weights: wanted.weights
            ? [...scaleWeights.map(dScale), ...offsetWeights.map(() => sumOverPositions(gated))]
            : [],
        };
      },
    };
  };

  /** Keeps one bit of each activation in place of two copies of it, as a byte. */
  const score = (x: tf.Tensor, shortcut: tf.Tensor | undefined): Forward => {
    const { scale, offset, movingMean: mean, movingVariance: variance } = variables();
    const inputs = { x, mean, variance, offset, scale, residual: shortcut };
    const { y, open } = batchNormInference(inputs, { epsilon, activation });
    return {
      output: y,
      saved: open ? [open] : [],
      backward: (dy) => {
        const given = { dy, open, variance, scale: variables().scale };
        const { dx, dResidual } = batchNormInferenceGrad(given, { epsilon, residual });
        return { inputs: dResidual ? [dx, dResidual] : [dx], weights: [] };
      },
    };
  };

  return {
    trainable: [...scaleWeights, ...offsetWeights],
    forward([x, shortcut], mode) {
      if (mode === 'training') return train(x!, shortcut, momentum);
      if (mode === 'statistics') return train(x!, shortcut, 0);
      return mode === 'scoring' ? score(x!, shortcut) : infer(x!, shortcut);
    },
  };
}

function sumOverPositions(x: tf.Tensor): tf.Tensor {
  return tf.sum(
    x,
    Array.from({ length: x.rank - 1 }, (_, axis) => axis),
  );
}
