import { configOf, type LayerContext, type LayerConverter, type Output, refuseChannelsFirst } from './converter.ts';
import { arrange, axesIn, hasOneOrder, type Layout, sizeOf, transpose, usualLayout } from './layout.ts';

function flatten(context: LayerContext): Output {
  const [x] = context.inputs;
  if (x.shape.length === 1) return x;
  const flat = context.op('Flatten', [x.name], { attributes: { axis: { int: 1 } } });
  if (x.layout === 'channelsLast' || hasOneOrder(x.shape)) return { name: flat };
  const numbers = Int32Array.from({ length: sizeOf(x.shape) }, (_, feature) => feature);
  return { name: flat, featureOrder: transpose(numbers, x.shape, axesIn(x.layout, x.shape.length)) };
}

function reshape(context: LayerContext): Output {
  const [x] = context.inputs;
  const shape = context.outputShape;
  const write = (name: string, layout: Layout) => {
    // 0 stands for the size that the input has there, so that the batch stays dynamic.
    const target = context.integers('shape', [0, ...arrange(shape, layout)]);
    return { name: context.op('Reshape', [name, target]), layout };
  };
  if (shape.length === 1) return flatten(context);
  // Where the channels stay, only positions are divided in another way.
  if (x.shape.length > 1 && x.shape.at(-1) === shape.at(-1)) return write(x.name, x.layout);
  const source = x.shape.length > 1 && hasOneOrder(x.shape) ? x : context.lay(x, 'channelsLast');
  return write(source.name, hasOneOrder(shape) ? usualLayout(shape.length) : 'channelsLast');
}

/** Often the permutation and a change of layout cancel out. */
function permute(context: LayerContext): Output {
  const [x] = context.inputs;
  const { dims } = configOf<{ dims: readonly number[] }>(context.node);
  const rank = dims.length;
  const source = axesIn(x.layout, rank);
  const permutationTo = (layout: Layout) => axesIn(layout, rank).map((axis) => source.indexOf(dims[axis]! - 1) + 1);
  const cancels = (layout: Layout) => permutationTo(layout).every((axis, i) => axis === i + 1);
  const free = (['channelsFirst', 'channelsLast'] as const).find(cancels);
  if (free) return { name: x.name, layout: free, featureOrder: x.featureOrder };
  const layout = usualLayout(rank);
  const perm = { ints: [0, ...permutationTo(layout)] };
  return { name: context.op('Transpose', [x.name], { attributes: { perm } }), layout };
}

export const shapeLayers: Readonly<Record<string, LayerConverter>> = {
  Flatten: { reads: 'any', refuse: refuseChannelsFirst, convert: flatten },
  Reshape: { reads: 'any', convert: reshape },
  Permute: { reads: 'any', convert: permute },
  RepeatVector: {
    reads: 'channelsLast',
    convert(context) {
      const { n } = configOf<{ n: number }>(context.node);
      const axes = context.integers('axes', [1]);
      const sequence = context.op('Unsqueeze', [context.inputs[0].name, axes], { part: 'sequence' });
      return context.op('Expand', [sequence, context.integers('repeats', [1, n, 1])]);
    },
  },
};
