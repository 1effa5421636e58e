import type { LayersModel } from '@tensorflow/tfjs-layers';
import { softmaxOf } from '../graph/layer-rule.ts';
import { type LayerNode, readNodes } from '../graph/nodes.ts';
import { softmax } from '../graph/rules/elementwise.ts';
import type { BatchNormActivation } from '../kernels/batch-norm-training.ts';
import type { Operation, TrainableWeight } from './operation.ts';
import { relu, relu6 } from './operations/activation.ts';
import { batchNormalization } from './operations/batch-normalization.ts';
import { operationsOf } from './operations/index.ts';
import { add } from './operations/structure.ts';

export interface Step {
  readonly node: LayerNode;
  readonly operation: Operation;
  /** Indices of the steps whose outputs this one reads. */
  readonly inputs: readonly number[];
}

/** A model as a list of operations in the order of computing; the first is the input, the last gives the logits. */
export interface Program {
  /** Every application of a layer, in the order of computing. */
  readonly nodes: readonly LayerNode[];
  readonly steps: readonly Step[];
  /** Each weight once, also where several steps use it. */
  readonly trainable: readonly TrainableWeight[];
  /** Key of each weight that several steps use, to how many. */
  readonly sharedWeights: ReadonlyMap<string, number>;
  /** First step of each application, which computes its output before any activation. Absent where batch norm took it in. */
  readonly stepOf: ReadonlyMap<LayerNode, number>;
}

/**
 * Reads a model into a program. Batch norm takes in the ReLU behind it, and the addition between the two if there is one. A
 * softmax at the end is left out, as the losses take logits.
 *
 * @throws Error when the model has several inputs or outputs, a layer has several outputs, or the last one is of a class that applies
 *   softmax inside of its own operation.
 */
export function compileProgram(model: LayersModel): Program {
  const nodes = readNodes(model);
  const steps = fuseBatchNorm(withoutSoftmax(listSteps(nodes)));
  const uses = new Map<string, number>();
  const trainable = steps
    .flatMap((step) => step.operation.trainable)
    .filter(({ key }) => {
      uses.set(key, (uses.get(key) ?? 0) + 1);
      return uses.get(key) === 1;
    });
  return {
    nodes,
    steps,
    trainable,
    sharedWeights: new Map([...uses].filter(([, count]) => count > 1)),
    stepOf: new Map(steps.map((step, index) => [step.node, index] as const).reverse()),
  };
}

function listSteps(nodes: readonly LayerNode[]): Step[] {
  const steps: Step[] = [];
  const outputOf = new Map<LayerNode, number>();
  for (const node of nodes) {
    let inputs = node.inputs.map((input) => outputOf.get(input)!);
    for (const operation of operationsOf(node.layer)) {
      steps.push({ node, operation, inputs });
      inputs = [steps.length - 1];
    }
    outputOf.set(node, steps.length - 1);
  }
  return steps;
}

function withoutSoftmax(steps: readonly Step[]): readonly Step[] {
  const { node } = steps.at(-1)!;
  const isSoftmaxLayer = node.className === 'Softmax';
  if (!(isSoftmaxLayer ? softmax.obstacle?.(node) : softmaxOf(node))) return steps;
  if (isSoftmaxLayer || node.className === 'Activation' || steps.at(-2)?.node === node) return steps.slice(0, -1);
  throw new Error(
    `Expected '${node.name}' (${node.className}) to give logits, but it applies softmax inside. Leave that out, or apply softmax in a layer of its own.`,
  );
}

/** Activations that become part of the batch norm before them. */
const FOLDED: ReadonlyMap<Operation, BatchNormActivation> = new Map([
  [relu, 'relu'],
  [relu6, 'relu6'],
]);

function fuseBatchNorm(steps: readonly Step[]): readonly Step[] {
  const consumers = steps.map((): number[] => []);
  steps.forEach((step, index) => {
    for (const input of step.inputs) consumers[input]!.push(index);
  });
  const onlyConsumer = (index: number) => (consumers[index]!.length === 1 ? consumers[index]![0]! : undefined);
  const replaced = new Map<number, Step>();
  const absorbed = new Set<number>();

  steps.forEach((step, index) => {
    if (step.node.className !== 'BatchNormalization') return;
    const next = onlyConsumer(index);
    if (next === undefined) return;
    const activation = FOLDED.get(steps[next]!.operation);
    if (activation) {
      const operation = batchNormalization(step.node.layer, { activation });
      replaced.set(next, { node: step.node, operation, inputs: step.inputs });
      absorbed.add(index);
    } else if (steps[next]!.operation === add && steps[next]!.inputs.length === 2) {
      const last = onlyConsumer(next);
      const activation = last === undefined ? undefined : FOLDED.get(steps[last]!.operation);
      if (last === undefined || !activation || replaced.has(last)) return;
      const shortcut = steps[next]!.inputs.find((input) => input !== index)!;
      const operation = batchNormalization(step.node.layer, { activation, residual: true });
      replaced.set(last, { node: step.node, operation, inputs: [...step.inputs, shortcut] });
      absorbed.add(index).add(next);
    }
  });

  const newIndex = new Map<number, number>();
  const fused: Step[] = [];
  steps.forEach((step, index) => {
    if (absorbed.has(index)) return;
    const { node, operation, inputs } = replaced.get(index) ?? step;
    newIndex.set(index, fused.length);
    fused.push({ node, operation, inputs: inputs.map((input) => newIndex.get(input)!) });
  });
  return fused;
}
