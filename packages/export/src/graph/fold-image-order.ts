import { sizeOf, transpose } from '../layers/layout.ts';
import type { OnnxGraph, OpNode } from './onnx-graph.ts';

/** Operators that do the same to each number. */
const ELEMENTWISE: ReadonlySet<string> = new Set([
  ...['Relu', 'LeakyRelu', 'ThresholdedRelu', 'Elu', 'Selu', 'Clip'],
  ...['Sigmoid', 'HardSigmoid', 'Tanh', 'Softplus', 'Softsign'],
]);

/**
 * Lets the Gemm whose units are made into an image list them in the order of that image, so that the Transpose behind the
 * Reshape goes.
 */
export function foldImageOrder(graph: OnnxGraph): void {
  for (const turn of graph.nodes.filter((node) => node.opType === 'Transpose')) {
    const reshape = soleProducer(graph, turn);
    const gemm = reshape?.opType === 'Reshape' ? gemmBehind(graph, reshape) : undefined;
    if (!reshape || !gemm) continue;
    const { ints: perm } = turn.attributes.perm as { ints: readonly number[] };
    const [batch, ...shape] = Array.from(graph.initializers.get(reshape.inputs[1]!)!.data, Number);
    const axes = perm.slice(1).map((axis) => axis - 1);
    const units = Int32Array.from({ length: sizeOf(shape) }, (_, unit) => unit);
    const order = transpose(units, shape, axes);

    for (const operand of [1, 2]) if (gemm.inputs[operand] !== undefined) reorder(graph, gemm, { operand, order });
    const turned = BigInt64Array.from([batch!, ...axes.map((axis) => shape[axis]!)], BigInt);
    graph.replaceInput(reshape, 1, { data: turned, dims: [turned.length] });
    graph.bypass(turn, reshape.output);
  }
}

/** What computes a node's first input, if nothing else reads that. */
function soleProducer(graph: OnnxGraph, { inputs: [value] }: OpNode): OpNode | undefined {
  return graph.hasOneReader(value!) ? graph.producerOf(value!) : undefined;
}

function gemmBehind(graph: OnnxGraph, reshape: OpNode): OpNode | undefined {
  let node = soleProducer(graph, reshape);
  while (node && ELEMENTWISE.has(node.opType)) node = soleProducer(graph, node);
  return node?.opType === 'Gemm' ? node : undefined;
}

/** Puts the rows of a weight, one for each unit, or the numbers of a bias into another order. */
function reorder(graph: OnnxGraph, gemm: OpNode, { operand, order }: { operand: number; order: Int32Array }): void {
  const { data, dims } = graph.initializers.get(gemm.inputs[operand]!)!;
  const weights = data as Float32Array;
  const row = weights.length / order.length;
  const reordered = weights.map((_, i) => weights[order[Math.floor(i / row)]! * row + (i % row)]!);
  graph.replaceInput(gemm, operand, { data: reordered, dims });
}
