import { configOf, type LayerContext, type LayerConverter, type Output } from './converter.ts';
import { onnxAxis } from './layout.ts';

/**
 * The operands of a join. As tfjs-layers does, values of fewer axes get axes of size 1 behind the batch, so that a vector
 * meets the channels of every position.
 */
function operandsOf({ inputs, op, integers }: LayerContext): string[] {
  const rank = Math.max(...inputs.map(({ shape }) => shape.length));
  const layout = inputs.find(({ shape }) => shape.length === rank)!.layout;
  return inputs.map(({ name, shape }, i) => {
    const missing = rank - shape.length;
    if (missing === 0) return name;
    const first = layout === 'channelsFirst' ? 2 : 1;
    const axes = Array.from({ length: missing }, (_, axis) => first + axis);
    return op('Unsqueeze', [name, integers(`axes_${i + 1}`, axes)], { part: `expanded_${i + 1}` });
  });
}

function widest({ inputs, outputShape }: LayerContext): Pick<Output & object, 'layout' | 'featureOrder'> {
  const { layout, featureOrder } = inputs.find(({ shape }) => shape.length === outputShape.length)!;
  return { layout, featureOrder };
}

/** An operator of two operands, applied from the left. */
function chain(opType: string): LayerConverter {
  return {
    reads: 'alike',
    convert(context) {
      const [first, ...others] = operandsOf(context) as [string, ...string[]];
      const name = others.reduce((sum, other, i) => {
        const part = i === others.length - 1 ? '' : `part_${i + 1}`;
        return context.op(opType, [sum, other], { part });
      }, first);
      return { name, ...widest(context) };
    },
  };
}

/** An operator of any number of operands. */
function variadic(opType: string): LayerConverter {
  return {
    reads: 'alike',
    convert: (context) => ({ name: context.op(opType, operandsOf(context)), ...widest(context) }),
  };
}

export const mergeLayers: Readonly<Record<string, LayerConverter>> = {
  Add: chain('Add'),
  Multiply: chain('Mul'),
  Average: variadic('Mean'),
  Maximum: variadic('Max'),
  Minimum: variadic('Min'),
  Concatenate: {
    reads: (node) => (node.outputShape.length === 2 ? 'channelsLast' : 'alike'),
    refuse: (node) => (configOf<{ axis: number }>(node).axis === 0 ? 'axis 0, the batch' : undefined),
    convert(context) {
      const operands = context.inputs.map(({ name }) => name);
      const axis = onnxAxis(
        configOf<{ axis: number }>(context.node).axis,
        context.outputShape.length + 1,
        context.inputs[0].layout,
      );
      return context.op('Concat', operands, { attributes: { axis: { int: axis } } });
    },
  },
};
