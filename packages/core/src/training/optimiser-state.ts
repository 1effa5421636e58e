import * as tf from '@tensorflow/tfjs-core';
import type { ChannelGraph } from '../graph/channel-graph.ts';
import type { PruningPlan } from '../pruning/pruning-plan.ts';
import { weightSlicer } from '../pruning/weight-slicer.ts';
import { type NamedValues, readValues } from './named-values.ts';
import type { TrainableWeight } from './operation.ts';
import { placeOfKey } from './operations/weights.ts';

/**
 * What SGD with momentum remembers between steps. Hand the same state to one `train` after the other, and the later one
 * goes on with the momentum of the earlier one. It starts empty, and is its creator's to dispose.
 */
export class OptimiserState {
  /** By "layer/index of the weight among the layer's weights"; the shape is the weight's. */
  readonly velocities = new Map<string, tf.Tensor>();

  shapes(): { readonly name: string; readonly shape: readonly number[] }[] {
    return Array.from(this.velocities, ([name, { shape }]) => ({ name, shape }));
  }

  /** Copies the velocities out of the engine. */
  read(): NamedValues {
    return readValues(this.velocities);
  }

  /** Puts copies in place of the velocities. */
  restore(values: NamedValues): void {
    this.dispose();
    for (const { name, shape, values: numbers } of values) {
      this.velocities.set(name, tf.keep(tf.tensor(numbers, [...shape])));
    }
  }

  dispose(): void {
    tf.dispose([...this.velocities.values()]);
    this.velocities.clear();
  }
}

/**
 * Carries an optimiser state through a removal: cuts each velocity as `applyPlan` cuts its weight, so that fine-tuning goes
 * on with momentum.
 *
 * @param graph The graph of the model before the removal.
 * @returns A new state; the given one stays as it is.
 * @throws Error when the plan does not fit the graph, or a velocity the model.
 */
export function sliceOptimiserState(state: OptimiserState, graph: ChannelGraph, plan: PruningPlan): OptimiserState {
  const slice = weightSlicer(graph, plan);
  const sliced = new OptimiserState();
  try {
    for (const [key, velocity] of state.velocities) {
      const { layer, index } = placeOfKey(key);
      sliced.velocities.set(key, tf.keep(slice(layer, index, velocity)));
    }
    return sliced;
  } catch (error) {
    sliced.dispose();
    throw error;
  }
}

/** @throws Error when a velocity belongs to none of the weights, or has another shape than its weight. */
export function checkFits(
  velocities: Iterable<{ readonly name: string; readonly shape: readonly number[] }>,
  weights: readonly TrainableWeight[],
): void {
  const shapes = new Map(weights.map(({ key, variable }) => [key, String(variable.shape)]));
  for (const { name: key, shape } of velocities) {
    const expected = shapes.get(key);
    if (expected === String(shape)) continue;
    const found = expected === undefined ? 'the model trains no such weight' : `the weight has [${expected}]`;
    throw new Error(
      `Expected an optimiser state that fits the model, but it has a velocity of shape [${shape}] for '${key}', and ${found}. After a removal, cut the state with sliceOptimiserState; for another model, start with a new one.`,
    );
  }
}
