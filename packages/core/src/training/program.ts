import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type LayerNode, readNodes } from '../graph/nodes.ts';
import type { Operation, TrainableWeight } from './operation.ts';
import { relu } from './operations/activation.ts';
import { batchNormalization } from './operations/batch-normalization.ts';
import { operationsOf } from './operations/index.ts';
import { add } from './operations/structure.ts';

export interface Step {
  readonly node: LayerNode;
  readonly operation: Operation;
  /** Indices of the steps whose outputs this one reads. */
  readonly inputs: readonly number[];
}

/** A model as a list of operations in the order of computing; the first is the input, the last the output. */
export interface Program {
  readonly steps: readonly Step[];
  /** Each weight once, also where several steps use it. */
  readonly trainable: readonly TrainableWeight[];
  /** Key of each weight that several steps use, to how many. */
  readonly sharedWeights: ReadonlyMap<string, number>;
  /** Step that computes a layer's output before any activation; of a layer that is used in several places, the first. */
  readonly stepOfLayer: ReadonlyMap<string, number>;
}

/**
 * Reads a model into a program. Batch norm takes in the ReLU behind it, and the addition between the two if there is one.
 *
 * @throws Error when the model has several inputs or outputs, or a layer has several outputs.
 */
export function compileProgram(model: LayersModel): Program {
  const steps = fuseBatchNorm(listSteps(readNodes(model)));
  const uses = new Map<string, number>();
  const trainable = steps
    .flatMap((step) => step.operation.trainable)
    .filter(({ key }) => {
      uses.set(key, (uses.get(key) ?? 0) + 1);
      return uses.get(key) === 1;
    });
  return {
    steps,
    trainable,
    sharedWeights: new Map([...uses].filter(([, count]) => count > 1)),
    stepOfLayer: new Map(steps.map((step, index) => [step.node.name, index] as const).reverse()),
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

function fuseBatchNorm(steps: readonly Step[]): Step[] {
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
    if (steps[next]!.operation === relu) {
      const operation = batchNormalization(step.node.layer, { activation: 'relu' });
      replaced.set(next, { node: step.node, operation, inputs: step.inputs });
      absorbed.add(index);
    } else if (steps[next]!.operation === add && steps[next]!.inputs.length === 2) {
      const last = onlyConsumer(next);
      if (last === undefined || steps[last]!.operation !== relu || replaced.has(last)) return;
      const shortcut = steps[next]!.inputs.find((input) => input !== index)!;
      const operation = batchNormalization(step.node.layer, { activation: 'relu', residual: true });
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
