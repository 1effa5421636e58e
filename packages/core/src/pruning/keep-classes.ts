import type { LayersModel } from '@tensorflow/tfjs-layers';
import { readClassUnits } from '../graph/channel-graph.ts';
import { readNodes } from '../graph/nodes.ts';
import { applyPlan } from './apply-plan.ts';
import { createPlan } from './pruning-plan.ts';

export interface KeepClassesOptions {
  /** Names of the classes to keep, in any order. */
  readonly classes: readonly string[];
  /** Names of all classes that the model tells apart, in the order of its outputs. */
  readonly classNames: readonly string[];
}

/**
 * Makes a specialist of a classifier: the same network without the outputs of all other classes, which then chooses between those that are
 * left. It is as large as before but for its last layer; prune it on images of these classes alone, and all that only served
 * the others can go.
 *
 * The outputs stay in their order, so that label l stands for the l-th of `classNames` that was kept. The given model is left as it is, and
 * the caller goes on owning it.
 *
 * @throws Error when fewer than two classes are kept, one is unknown or named twice, `classNames` does not fit the model, or its
 *   outputs are not units of their own.
 */
export async function keepClasses(
  model: LayersModel,
  { classes, classNames }: KeepClassesOptions,
): Promise<LayersModel> {
  checkClasses(classes, classNames);
  const last = readNodes(model).at(-1)!;
  const outputs = last.outputShape.at(-1);
  if (outputs !== classNames.length) {
    throw new Error(
      `Expected a model with one output for each of the ${classNames.length} classes, but '${model.name}' has ${outputs}.`,
    );
  }
  const { graph, units } = readClassUnits(model);
  if (new Set(units).size < outputs || units.includes(undefined)) {
    throw new Error(
      `Expected a model that ends in a dense layer or a convolution with one unit for each class, and behind it only in layers that keep the classes apart, but it ends in '${last.name}' (${last.className}).`,
    );
  }
  const others = units.filter((_, label) => !classes.includes(classNames[label]!)).flatMap((unit) => unit!.filters);
  return applyPlan(model, createPlan(others), { graph });
}

function checkClasses(classes: readonly string[], classNames: readonly string[]): void {
  const unknown = classes.find((name) => !classNames.includes(name));
  if (unknown !== undefined) {
    throw new Error(`'${unknown}' is none of the classes: ${classNames.join(', ')}.`);
  }
  const repeated = classes.find((name, index) => classes.indexOf(name) < index);
  if (repeated !== undefined) throw new Error(`The class '${repeated}' is to be kept twice; name it once.`);
  if (classes.length < 2) {
    throw new Error(
      `Expected at least two classes to tell apart, but there ${classes.length === 1 ? `is '${classes[0]}' alone` : 'are none'}.`,
    );
  }
}
