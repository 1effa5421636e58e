import type { OnnxGraph } from './onnx-graph.ts';

const poolOps = new Set(['MaxPool', 'AveragePool']);

/**
 * Keeps onnxruntime from merging zero padding into the pooling behind it. Its PadFusion does so although a pooling
 * operator's own padding is not zeros (a maximum ignores it, so all-negative windows at the border come out wrong), and
 * fails to load a file whose padding is wider than the window (seen in 1.30). One row more is padded and sliced off
 * again, which no fusion looks through.
 */
export function shieldPadding(graph: OnnxGraph): void {
  for (const pad of graph.nodes.filter((node) => node.opType === 'Pad')) {
    const readers = graph.consumersOf(pad.output);
    if (!readers.some(({ opType }) => poolOps.has(opType))) continue;
    const padsName = pad.inputs[1]!;
    const { data, dims } = graph.initializers.get(padsName)!;
    const bottom = 6;
    const oneRowMore = (data as BigInt64Array).map((size, i) => (i === bottom ? size + 1n : size));
    graph.replaceInput(pad, 1, { data: oneRowMore, dims });

    const ranges = { starts: 0n, ends: -1n, axes: 2n };
    const operands = Object.entries(ranges).map(([part, value]) =>
      graph.addInitializer(`${pad.name}/${part}`, BigInt64Array.of(value), [1]),
    );
    const position = graph.nodes.indexOf(pad) + 1;
    const sliced = graph.addNode(`${pad.name}/slice`, 'Slice', [pad.output, ...operands], {}, position);
    for (const reader of readers) {
      reader.inputs = reader.inputs.map((input) => (input === pad.output ? sliced : input));
    }
  }
}
