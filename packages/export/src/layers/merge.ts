import type { LayerNode } from '@secateur/core';
import { configOf, type LayerConverter } from './converter.ts';

function refuseMixedRanks(node: LayerNode): string | undefined {
  const ranks = new Set(node.inputs.map(({ outputShape }) => outputShape.length));
  return ranks.size === 1 ? undefined : `inputs of ranks ${[...ranks].join(' and ')}; only equal ranks are supported`;
}

/** An operator of two operands, applied from the left. */
function chain(opType: string): LayerConverter {
  return {
    refuse: refuseMixedRanks,
    convert(context) {
      const [first, ...others] = context.inputs.map(({ name }) => name) as [string, ...string[]];
      return others.reduce((sum, other, i) => {
        const part = i === others.length - 1 ? '' : `part_${i + 1}`;
        return context.op(opType, [sum, other], { part });
      }, first);
    },
  };
}

/** An operator of any number of operands. */
function variadic(opType: string): LayerConverter {
  return {
    refuse: refuseMixedRanks,
    convert: (context) =>
      context.op(
        opType,
        context.inputs.map(({ name }) => name),
      ),
  };
}

/** Where a channels-last axis lies in ONNX; undefined for the batch and anything unknown. */
function onnxAxis(node: LayerNode): number | undefined {
  const { axis } = configOf<{ axis: number }>(node);
  const rank = node.outputShape.length;
  const axes = rank === 4 ? [undefined, 2, 3, 1] : [undefined, 1];
  return axes[axis < 0 ? axis + rank : axis];
}

export const mergeLayers: Readonly<Record<string, LayerConverter>> = {
  Add: chain('Add'),
  Multiply: chain('Mul'),
  Average: variadic('Mean'),
  Maximum: variadic('Max'),
  Minimum: variadic('Min'),
  Concatenate: {
    refuse: (node) => (onnxAxis(node) === undefined ? `axis ${configOf<{ axis: number }>(node).axis}` : undefined),
    convert(context) {
      const operands = context.inputs.map(({ name }) => name);
      return context.op('Concat', operands, { attributes: { axis: { int: onnxAxis(context.node)! } } });
    },
  },
};
