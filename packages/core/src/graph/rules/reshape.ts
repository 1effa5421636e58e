import type { Channels } from '../channels.ts';
import { channelsFirst, type FollowStep, type LayerRule, repeatAll } from '../layer-rule.ts';
import type { LayerNode } from '../nodes.ts';

/** [height, width, channels] becomes units in row-major order: each channel has one unit at every position. */
export const flatten: LayerRule = {
  obstacle: (node) => channelsFirst(node) ?? lastSizeUnknown(node),
  follow: followRowMajor,
};

/** Channels survive where one of the last sizes before and after divides the other. */
export const reshape: LayerRule = {
  obstacle: (node) => {
    const unknown = lastSizeUnknown(node);
    if (unknown) return unknown;
    const [before, after] = lastSizes(node);
    return before % after === 0 || after % before === 0
      ? undefined
      : `mixes channels (${before} become ${after} along the last axis)`;
  },
  follow(step) {
    const outputs = followRowMajor(step);
    step.lay('outputs', outputs);
    return outputs;
  },
  resize: ({ outputs }, layer) => {
    const target = layer.getConfig().targetShape as (number | null)[];
    return { targetShape: [...target.slice(0, -1), target.at(-1) === null ? null : outputs] };
  },
};

/** Channels survive where their axis stays the last. */
export const permute: LayerRule = {
  obstacle: (node) => {
    const dims = node.layer.getConfig().dims as number[];
    return dims.at(-1) === dims.length ? undefined : 'moves channels to another axis';
  },
  follow: ({ inputs }) => inputs[0]!,
};

function lastSizes(node: LayerNode): [before: number, after: number] {
  return [node.inputShapes[0]!.at(-1)!, node.outputShape.at(-1)!];
}

function lastSizeUnknown(node: LayerNode): string | undefined {
  return lastSizes(node).some((size) => size === null) ? 'has no fixed size' : undefined;
}

function followRowMajor({ node, inputs, couple }: FollowStep): Channels {
  const [channels] = inputs as readonly [Channels];
  const [before, after] = lastSizes(node);
  if (after >= before) return repeatAll(channels, after / before);
  // Several of the inputs become one channel at different positions.
  const rows = Array.from({ length: before / after }, (_, row) => channels.slice(row * after, (row + 1) * after));
  couple(rows, `feeds layer '${node.name}' (${node.className}), which makes one channel of several`);
  return rows[0]!;
}
