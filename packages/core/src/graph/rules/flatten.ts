import { channelCount, channelsFirst, outputSize, type PassRule } from '../layer-rule.ts';
import type { LayerNode } from '../nodes.ts';

/** [height, width, channels] becomes units in row-major order: each channel has one unit at every position. */
export const flatten: PassRule = {
  flow: 'pass',
  obstacle: (node) => channelsFirst(node) ?? (node.outputShape[1] === null ? 'has no fixed size' : undefined),
  outputsOf: unitsOf,
};

function unitsOf(channels: readonly number[], node: LayerNode): number[] {
  const perPosition = channelCount(node.inputs[0]!);
  const positions = outputSize(node) / perPosition;
  return Array.from({ length: positions }, (_, position) =>
    channels.map((channel) => position * perPosition + channel),
  ).flat();
}
