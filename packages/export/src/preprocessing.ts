import type { LayerNode } from '@secateur/core';
import type { OnnxGraph } from './graph/onnx-graph.ts';
import type { Value } from './layers/converter.ts';
import type { ClassifierDescription } from './metadata.ts';

/**
 * Puts behind the one input of the graph, pixels as uint8 [batch, height, width, channels], what a network expects:
 * (pixel * inputScale - mean) / std for each channel. The value of the input layer becomes the standardised image.
 *
 * @throws Error when the network has several inputs or takes no images, or the description says nothing about them.
 */
export function writePreprocessing(
  graph: OnnxGraph,
  inputs: Map<LayerNode, Value>,
  { mean, std, inputScale }: ClassifierDescription,
): void {
  const [[node, input], ...others] = [...inputs] as [[LayerNode, Value], ...unknown[]];
  if (others.length > 0 || input.shape.length !== 3) {
    throw new Error(
      `Expected a model with one input of images for preprocessing, but it takes ${inputs.size} of shape [batch, ${[...inputs.values()].map(({ shape }) => shape).join('], [batch, ')}].`,
    );
  }
  if (!mean && !std && inputScale === undefined) {
    throw new Error('Expected mean, std or inputScale for preprocessing, which is done with them, but got none.');
  }
  const channels = input.shape[2]!;
  const perChannel = (number: (channel: number) => number) =>
    Float32Array.from({ length: channels }, (_, c) => number(c));
  const factor = perChannel((c) => (inputScale ?? 1) / (std?.[c] ?? 1));
  const shift = perChannel((c) => -(mean?.[c] ?? 0) / (std?.[c] ?? 1));
  const constant = (name: string, values: Float32Array) =>
    graph.addInitializer(`preprocessing/${name}`, values, [channels, 1, 1]);

  // Bytes are moved before they become four times as many.
  const perm = { ints: [0, 3, 1, 2] };
  const planes = graph.addNode('preprocessing/channels_first', 'Transpose', [input.name], { perm });
  const floats = graph.addNode('preprocessing/float', 'Cast', [planes], { to: { int: 1 } });
  const scaled = graph.addNode('preprocessing/scaled', 'Mul', [floats, constant('factor', factor)]);
  const name = graph.addNode('preprocessing', 'Add', [scaled, constant('shift', shift)]);
  inputs.set(node, { ...input, name, layout: 'channelsFirst' });
}
