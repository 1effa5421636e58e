import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { ChannelGraph } from '../graph/channel-graph.ts';
import { ruleOf } from '../graph/layer-rules.ts';
import { type LayerNode, readNodes } from '../graph/nodes.ts';
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
 * @throws Error when fewer than two classes are kept, one is unknown or named twice, `classNames` does not fit the model, or its last layer
 *   has no unit for each class.
 */
export async function keepClasses(
  model: LayersModel,
  { classes, classNames }: KeepClassesOptions,
): Promise<LayersModel> {
  checkClasses(classes, classNames);
  const nodes = readNodes(model);
  const classifier = findClassifier(nodes);
  const outputs = classifier.outputShape.at(-1);
  if (outputs !== classNames.length) {
    throw new Error(
      `Expected a model with one output for each of the ${classNames.length} classes, but '${model.name}' has ${outputs}.`,
    );
  }
  const units = classNames.map((_, filter) => ({ filters: [{ layer: classifier.name, filter }] }));
  const graph: ChannelGraph = {
    nodes,
    groups: [],
    frozen: [],
    filters: new Map([[classifier.name, units.length]]),
    axes: new Map([[classifier.layer, new Map([[ruleOf(classifier.className)!.filters!.axis, units]])]]),
  };
  const others = units.filter((_, filter) => !classes.includes(classNames[filter]!)).flatMap(({ filters }) => filters);
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

/** The layer whose units are the outputs, before an activation that is a layer of its own. */
function findClassifier(nodes: readonly LayerNode[]): LayerNode {
  let node = nodes.at(-1)!;
  while (['Activation', 'Softmax'].includes(node.className)) node = node.inputs[0]!;
  if (ruleOf(node.className)?.filters) return node;
  throw new Error(
    `Expected a model that ends in a dense layer or a convolution with one unit for each class, but it ends in '${node.name}' (${node.className}).`,
  );
}
