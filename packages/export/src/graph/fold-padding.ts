import type { OnnxGraph } from './onnx-graph.ts';

/** Folds each spatial zero padding into the pads of the Conv behind it, when that Conv is the only reader. */
export function foldPadding(graph: OnnxGraph): void {
  for (const pad of graph.nodes.filter((node) => node.opType === 'Pad')) {
    const [conv] = graph.consumersOf(pad.output);
    if (conv?.opType !== 'Conv' || !graph.hasOneReader(pad.output)) continue;
    // Order of Pad: begins of batch, channels, height, width, then the ends. Order of Conv: top, left, bottom, right.
    const pads = Array.from(graph.initializers.get(pad.inputs[1]!)!.data, Number);
    const [batchBegin, channelBegin, top, left, batchEnd, channelEnd, bottom, right] = pads;
    if ([batchBegin, channelBegin, batchEnd, channelEnd].some((size) => size !== 0)) continue;
    const own = (conv.attributes.pads as { ints: readonly number[] }).ints;
    const padded = [top!, left!, bottom!, right!].map((size, side) => size + own[side]!);
    conv.attributes = { ...conv.attributes, pads: { ints: padded } };
    graph.bypass(pad, pad.inputs[0]!);
  }
}
