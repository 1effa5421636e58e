import type { onnx as Onnx } from 'onnx-proto';
import { printable, quote } from '../quote.ts';
import type { Constant } from './constant.ts';
import { fuseGelu, scalarsOf } from './fuse-gelu.ts';
import { layerName } from './layer-name.ts';
import type { Budget, ImportLimits } from './limits.ts';
import { type FileContext, OperatorContext, type Value } from './operators/context.ts';
import { folds } from './operators/fold.ts';
import { operators } from './operators/table.ts';
import { LayerPlan, type PlannedLayer } from './plan.ts';
import { type InputOptions, readInput } from './read-input.ts';
import type { SourceGraph, SourceNode } from './source-graph.ts';
import { Materialiser, viewOf } from './value.ts';
import { expectZeroPadShortcut } from './zero-pad-shortcut.ts';

interface ConvertOptions extends InputOptions {
  readonly limits: ImportLimits;
  readonly budget: Budget;
  /** Whether a softmax that the network ends in is left out. */
  readonly logits: boolean;
  readonly readTensor: (tensor: Onnx.ITensorProto) => Constant;
}

export interface Conversion {
  readonly plan: LayerPlan;
  readonly output: PlannedLayer;
  /** Where the LayersModel differs from the file in more than its form. */
  readonly notes: readonly string[];
}

/**
 * Plans a layer, or nothing, for every node.
 *
 * @throws Error that lists all nodes that cannot be imported, with the reasons, or that need a layer class which is not registered.
 */
export function convertGraph(
  graph: SourceGraph,
  { limits, budget, logits, readTensor, ...input }: ConvertOptions,
): Conversion {
  const { shape, axes } = readInput(graph, input);
  const plan = new LayerPlan('images', shape, limits);
  const notes: string[] = [];
  const shared: FileContext = {
    opset: graph.opset,
    plan,
    views: new Materialiser(plan, budget),
    budget,
    fileBatch: graph.input.dims[0],
    readTensor,
    notes,
  };
  const { nodes: chosen, output } = logits ? withoutSoftmax(graph) : graph;
  const nodes = fuseGelu(chosen, graph, scalarsOf(graph, readTensor));
  const values = new Map<string, Value>([[graph.input.name, viewOf(plan.input, axes)]]);
  const lost = new Set<string>();
  const refused: string[] = [];
  const withShortcuts: string[] = [];
  const watched = <T>(place: string, work: () => T): T => {
    const { shortcuts } = shared.views;
    const result = work();
    if (shared.views.shortcuts > shortcuts) withShortcuts.push(quote(place));
    return result;
  };
  for (const node of nodes) {
    const reads = node.inputs.map((name) => (name === '' ? undefined : (values.get(name) ?? graph.constant(name))));
    const result = node.inputs.some((name) => lost.has(name))
      ? importedLater(node)
      : watched(node.name, () =>
          importNode(new OperatorContext({ ...shared, node, inputs: reads, name: layerName(node, graph) })),
        );
    if (result.value) {
      const [name = ''] = node.outputs;
      values.set(name, withReaders(result.value, reads, graph.readers.get(name)));
      for (const other of node.outputs.slice(1)) lost.add(other);
    } else {
      for (const name of node.outputs) lost.add(name);
      if (result.reason) refused.push(`  - ${quote(node.name)} (${printable(node.opType)}): ${result.reason}`);
    }
  }
  if (lost.has(output) && refused.length === 0) {
    throw new Error(`The output ${quote(output)} is no first output of its node, or computed from one that is not.`);
  }
  refuse(refused, nodes.length);
  const end = watched(output, () => finish(values.get(output), shared));
  expectZeroPadShortcut(withShortcuts);
  return { plan, output: end, notes };
}

interface Result {
  readonly value?: Value;
  /** Absent where the reason is another node's. */
  readonly reason?: string;
}

function importNode(context: OperatorContext): Result {
  const { opType } = context.node;
  const isConstant = context.node.inputs.every((_, index) => context.input(index)?.kind !== 'tensor');
  const operator = (isConstant ? folds : operators).get(opType);
  if (!operator) {
    const isKnown = operators.has(opType) || folds.has(opType);
    if (!isKnown) return { reason: 'no layer is known for this operator' };
    return { reason: isConstant ? 'reads constants alone' : 'is known for constants alone, but reads the image' };
  }
  try {
    return { value: operator(context) };
  } catch (error) {
    return { reason: (error as Error).message };
  }
}

/** A node behind one that cannot be imported is only looked at for whether it could ever be. */
function importedLater({ opType }: SourceNode): Result {
  return operators.has(opType) || folds.has(opType) ? {} : { reason: 'no layer is known for this operator' };
}

function withReaders(value: Value, reads: readonly (Value | undefined)[], readers = 0): Value {
  if (value.kind === 'constant') return value;
  const source = reads.find((read) => read?.kind === 'tensor' && read.layer === value.layer);
  const isOnlyView = source === undefined || (source.kind === 'tensor' && source.sole);
  return { ...value, sole: readers === 1 && isOnlyView };
}

function withoutSoftmax(graph: SourceGraph): Pick<SourceGraph, 'nodes' | 'output'> {
  const softmax = graph.nodes.find(({ outputs, opType }) => outputs[0] === graph.output && opType === 'Softmax');
  if (!softmax) return graph;
  return { nodes: graph.nodes.filter((node) => node !== softmax), output: softmax.inputs[0] ?? '' };
}

function refuse(refused: readonly string[], nodes: number): void {
  if (refused.length === 0) return;
  throw new Error(
    [
      `${refused.length} of ${nodes} nodes cannot be imported:`,
      ...refused,
      'Export the network without them, in evaluation mode, or choose an earlier output.',
      `Supported: ${[...operators.keys()].sort().join(', ')}; and for constants: ${[...folds.keys()].sort().join(', ')}.`,
    ].join('\n'),
  );
}

/** Features in the file's order, or channels-last images. */
function finish(value: Value | undefined, { plan, views }: FileContext): PlannedLayer {
  const seen =
    value?.kind === 'tensor' ? (value.axes.length === 1 ? views.features(value) : views.image(value)) : undefined;
  if (!seen || seen.layer === plan.input) {
    throw new Error(
      'The output does not depend on the input, or is the input itself; expected a network between them.',
    );
  }
  if (seen.order)
    throw new Error('The output is a flattened image; expected a dense layer or a pooling in front of it.');
  return seen.layer;
}
