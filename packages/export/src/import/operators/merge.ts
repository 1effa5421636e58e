import { layers } from '@tensorflow/tfjs-layers';
import { axisOf, type Constant } from '../constant.ts';
import type { Layer } from '../plan.ts';
import { dimsOf, type TensorValue, viewOf } from '../value.ts';
import { type Affine, affine } from './affine.ts';
import { type Bounds, clip } from './clip.ts';
import type { Operator, OperatorContext } from './context.ts';

type CreateMerge = (name: string) => Layer;

/** All inputs with the same axes in the same places of their layers' outputs. */
function align(context: OperatorContext, values: readonly TensorValue[]): TensorValue[] {
  const plain = values.map((value) => context.views.plain(value));
  const [first] = plain as [TensorValue];
  const isAlike = ({ axes, layer, order }: TensorValue) =>
    String(axes) === String(first.axes) && layer.shape.length === first.layer.shape.length && !order;
  if (plain.every(isAlike)) return plain;
  const ranks = new Set(plain.map(({ axes }) => axes.length));
  if (ranks.size === 1 && ranks.has(3)) return plain.map((value) => context.views.image(value));
  if (ranks.size === 1 && ranks.has(1)) return plain.map((value) => context.views.features(value));
  throw new Error(
    `meets tensors of the shapes ${plain.map((value) => `[batch, ${dimsOf(value)}]`).join(' and ')}; expected images or features, alike`,
  );
}

function merge(
  context: OperatorContext,
  values: readonly TensorValue[],
  { create, nonNegative = 'all' }: { create: CreateMerge; nonNegative?: 'all' | 'some' },
): TensorValue {
  const aligned = align(context, values);
  const [{ axes, order }] = aligned as [TensorValue];
  if (aligned.some((value) => String(value.order ?? '') !== String(order ?? ''))) {
    throw new Error('meets features that are flattened in different orders; only dense layers can follow those');
  }
  if (aligned.length === 1) return aligned[0]!;
  const shapes = aligned.map(({ layer }) => layer.shape);
  const shape = shapes[0]!.map((_, axis) => Math.max(...shapes.map((sizes) => sizes[axis]!)));
  if (shapes.some((sizes) => sizes.some((size, axis) => size !== 1 && size !== shape[axis]))) {
    throw new Error(`meets tensors of the shapes ${values.map((value) => `[batch, ${dimsOf(value)}]`).join(' and ')}`);
  }
  const inputs = aligned.map(({ layer }) => layer);
  const flags = inputs.map((layer) => layer.nonNegative);
  const layer = context.layer({
    shape,
    inputs,
    nonNegative: nonNegative === 'all' ? flags.every(Boolean) : flags.some(Boolean),
    create,
  });
  return viewOf(layer, axes, order);
}

export function multiply(context: OperatorContext, values: readonly TensorValue[]): TensorValue {
  return merge(context, values, { create: (name) => layers.multiply({ name }) });
}

function add(context: OperatorContext, values: readonly TensorValue[]): TensorValue {
  return merge(context, values, { create: (name) => layers.add({ name }) });
}

interface Arithmetic {
  readonly tensors: (context: OperatorContext, values: readonly [TensorValue, TensorValue]) => TensorValue;
  /** x with a constant behind it, and in front of it; undefined where that is not affine in x. */
  readonly before: (constant: Constant) => Affine;
  readonly behind: (constant: Constant) => Affine | undefined;
}

const arithmetic =
  ({ tensors, before, behind }: Arithmetic): Operator =>
  (context) => {
    const [a, b] = context.inputs as [TensorValue | Constant, TensorValue | Constant];
    if (a.kind === 'tensor' && b.kind === 'tensor') return tensors(context, [a, b]);
    if (a.kind === 'tensor') return affine(context, a, before(b as Constant));
    const map = behind(a);
    if (!map) throw new Error('divides constants by an image');
    return affine(context, b as TensorValue, map);
  };

function mapped(constant: Constant, map: (value: number) => number): Constant {
  return { ...constant, data: Float32Array.from(constant.data, map) };
}

const sameEitherWay = (map: (constant: Constant) => Affine) => ({ before: map, behind: map });

const negate = (value: number) => -value;

/** The largest or smallest of any number of tensors, and of constants, which bound the values from one side. */
const extreme =
  (create: CreateMerge, side: keyof Bounds): Operator =>
  (context) => {
    const tensors = context.inputs.filter((value) => value.kind === 'tensor');
    const joined = merge(context, tensors, { create, nonNegative: side === 'minimum' ? 'some' : 'all' });
    const bounds = context.inputs.flatMap((value) => {
      if (value.kind === 'tensor') return [];
      if (value.data.length !== 1) throw new Error(`meets constants of shape [${value.dims}]; expected one number`);
      return [value.data[0]!];
    });
    const open: Bounds = { minimum: Number.NEGATIVE_INFINITY, maximum: Number.POSITIVE_INFINITY };
    const bound = side === 'minimum' ? Math.max(open[side], ...bounds) : Math.min(open[side], ...bounds);
    return clip(context, joined, { ...open, [side]: bound }, tensors.length > 1 ? 'bounded' : '');
  };

/** Any number of tensors, no constants. */
const variadic =
  (create: CreateMerge): Operator =>
  (context) =>
    merge(
      context,
      context.inputs.map((_, index) => context.tensor(index)),
      { create },
    );

const concatenate: Operator = (context) => {
  const values = context.inputs.map((_, index) => context.tensor(index));
  const aligned = align(context, values);
  const [first] = aligned as [TensorValue];
  const rank = first.axes.length + 1;
  if (!context.attributes.has('axis')) throw new Error('lacks its axis');
  const onnxAxis = axisOf(context.attributes.integer('axis', 1), rank) - 1;
  const axis = first.axes[onnxAxis];
  if (axis === undefined) throw new Error(`joins along axis ${onnxAxis + 1}, which is not one of the image`);
  const sizes = aligned.map(({ layer }) => layer.shape[axis]!);
  const shape = first.layer.shape.map((size, i) => (i === axis ? sizes.reduce((sum, part) => sum + part, 0) : size));
  if (aligned.some(({ layer }) => layer.shape.some((size, i) => i !== axis && size !== shape[i]))) {
    throw new Error(`joins tensors of the shapes ${values.map((value) => `[batch, ${dimsOf(value)}]`).join(' and ')}`);
  }
  if (aligned.length === 1) return first;
  const layer = context.layer({
    shape,
    inputs: aligned.map((value) => value.layer),
    nonNegative: aligned.every((value) => value.layer.nonNegative),
    create: (name) => layers.concatenate({ name, axis: axis + 1 === first.layer.shape.length ? -1 : axis + 1 }),
  });
  return viewOf(layer, first.axes, joinOrders(context, aligned));
};

function joinOrders(context: OperatorContext, values: readonly TensorValue[]): Int32Array | undefined {
  if (values.every(({ order }) => !order)) return undefined;
  const sizes = values.map(({ layer }) => layer.shape[0]!);
  context.budget.compute(sizes.reduce((sum, size) => sum + size, 0));
  let start = 0;
  const parts = values.flatMap(({ order }, i) => {
    const part = Array.from({ length: sizes[i]! }, (_, feature) => start + (order?.[feature] ?? feature));
    start += sizes[i]!;
    return part;
  });
  return Int32Array.from(parts);
}

export const mergeOperators: Readonly<Record<string, Operator>> = {
  Add: arithmetic({ tensors: add, ...sameEitherWay((shift) => ({ shift })) }),
  Concat: concatenate,
  Div: arithmetic({
    tensors: () => {
      throw new Error('divides one image by another, which tfjs-layers cannot');
    },
    before: (divisor) => ({ scale: mapped(divisor, (value) => 1 / value) }),
    behind: () => undefined,
  }),
  Max: extreme((name) => layers.maximum({ name }), 'minimum'),
  Mean: variadic((name) => layers.average({ name })),
  Min: extreme((name) => layers.minimum({ name }), 'maximum'),
  Mul: arithmetic({ tensors: multiply, ...sameEitherWay((scale) => ({ scale })) }),
  Neg: (context) => affine(context, context.tensor(), { scale: -1 }),
  Sub: arithmetic({
    tensors: (context, [a, b]) => add(context, [a, affine(context, b, { scale: -1 })]),
    before: (shift) => ({ shift: mapped(shift, negate) }),
    behind: (shift) => ({ scale: -1, shift }),
  }),
  Sum: variadic((name) => layers.add({ name })),
};
