import { layers } from '@tensorflow/tfjs-layers';
import { axisOf, integers, product } from '../constant.ts';
import { dimsOf, hasZeros, type TensorValue, viewOf } from '../value.ts';
import type { Operator, OperatorContext } from './context.ts';
import { readSlices } from './slices.ts';

const identity: Operator = (context) => context.tensor();

/** ONNX's numbers of floating point types: between them a cast only rounds. */
const FLOATING = new Set([1, 10, 11, 16]);

const cast: Operator = (context) => {
  const to = context.attributes.integer('to', 0);
  if (!FLOATING.has(to)) throw new Error(`casts an image to data type ${to}; expected floating point numbers`);
  return context.tensor();
};

const flatten: Operator = (context) => {
  const x = context.tensor();
  const rank = x.axes.length + 1;
  const axis = context.attributes.integer('axis', 1);
  if ((axis < 0 ? axis + rank : axis) !== 1)
    throw new Error(`flattens from axis ${axis}; expected 1, behind the batch`);
  return context.views.reshape(x, [product(dimsOf(x))]);
};

const reshape: Operator = (context) => {
  const x = context.tensor();
  const target = context.input(1) ? [...context.constant(1, 'the shape').data] : context.attributes.integers('shape');
  if (!target) throw new Error('lacks its shape');
  const allowZero = context.attributes.integer('allowzero', 0) !== 0;
  return context.views.reshape(x, resolveShape(context, { from: dimsOf(x), target, allowZero }));
};

interface ShapeQuestion {
  readonly from: readonly number[];
  readonly target: readonly number[];
  readonly allowZero: boolean;
}

/** The sizes behind the batch. The batch may be named (NaN, or the size that the file is made for), copied (0) or left over (-1). */
function resolveShape({ fileBatch }: OperatorContext, { from, target, allowZero }: ShapeQuestion): number[] {
  const refuse = () => new Error(`reshapes [batch, ${from}] to [${target}]; the batch must stay the first axis`);
  const copied = target.map((size, axis) => (size === 0 && !allowZero && axis > 0 ? from[axis - 1]! : size));
  const [first, ...sizes] = copied as [number, ...number[]];
  const keepsBatch = Number.isNaN(first) || first === 0 || first === fileBatch;
  const open = sizes.indexOf(-1);
  if (target.length < 2 || (!keepsBatch && (first !== -1 || open >= 0))) throw refuse();
  const known = product(sizes.filter((size) => size !== -1));
  const whole = product(from);
  if (open >= 0) sizes[open] = whole / known;
  if (sizes.some((size) => !Number.isInteger(size) || size < 1) || product(sizes) !== whole) throw refuse();
  return sizes;
}

const squeeze: Operator = (context) => {
  const x = context.tensor();
  const dims = dimsOf(x);
  const named = context.integers('axes', 1);
  const gone = new Set(
    named ? named.map((axis) => axisOf(axis, dims.length + 1)) : dims.flatMap((size, i) => (size === 1 ? [i + 1] : [])),
  );
  const wrong = [...gone].find((axis) => axis === 0 || dims[axis - 1] !== 1);
  if (wrong !== undefined) throw new Error(`takes axis ${wrong} out of [batch, ${dims}], which has not the size 1`);
  return context.views.reshape(
    x,
    dims.filter((_, i) => !gone.has(i + 1)),
  );
};

const unsqueeze: Operator = (context) => {
  const x = context.tensor();
  const dims = [Number.NaN, ...dimsOf(x)];
  const named = context.integers('axes', 1) ?? [];
  const rank = dims.length + named.length;
  const added = new Set(named.map((axis) => axisOf(axis, rank)));
  if (added.has(0) || added.size !== named.length || rank > 8) throw new Error(`adds the axes [${named.slice(0, 8)}]`);
  let next = 0;
  const sizes = Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : dims[next++]!));
  return context.views.reshape(x, sizes.slice(1));
};

const transpose: Operator = (context) => {
  const x = context.tensor();
  const rank = x.axes.length + 1;
  const order = context.attributes.integers('perm') ?? Array.from({ length: rank }, (_, axis) => rank - 1 - axis);
  const isPermutation =
    order.length === rank && new Set(order).size === rank && order.every((axis) => axis >= 0 && axis < rank);
  if (!isPermutation || order[0] !== 0) {
    throw new Error(
      `permutes the axes [${order.slice(0, 8)}]; expected a permutation of ${rank} axes with the batch first`,
    );
  }
  return { ...x, axes: order.slice(1).map((axis) => x.axes[axis - 1]) };
};

/** Another order of the same features, as exporters write it behind a flattened image. */
const gather: Operator = (context) => {
  const x = context.views.features(context.tensor());
  const indices = context.constant(1, 'the indices');
  const features = x.layer.shape[0]!;
  const axis = axisOf(context.attributes.integer('axis', 0), 2);
  const isPermutation =
    indices.dims.length === 1 && indices.data.length === features && new Set(indices.data).size === features;
  if (axis !== 1 || !isPermutation || indices.data.some((index) => !(index >= 0 && index < features))) {
    throw new Error('picks some of the features; expected all of them in another order');
  }
  const order = Int32Array.from(indices.data, (index) => x.order?.[index] ?? index);
  return { ...x, order: order.every((place, i) => place === i) ? undefined : order };
};

const pad: Operator = (context) => {
  const { attributes } = context;
  const mode = attributes.text('mode', 'constant');
  if (mode !== 'constant') throw new Error(`pads by '${mode}'; expected zeros`);
  const fill = context.optionalConstant(2, 'the value')?.data[0] ?? attributes.float('value', 0);
  if (fill !== 0) throw new Error(`pads with ${fill}; expected zeros`);
  const x = context.tensor();
  const rank = x.axes.length + 1;
  const counts = context.integers('pads', 1) ?? attributes.integers('paddings');
  const axes = context.optionalConstant(3, 'the axes')?.data ?? Float64Array.from({ length: rank }, (_, axis) => axis);
  if (!counts || counts.length !== 2 * axes.length || counts.some((count) => !(Math.abs(count) <= LARGEST_PAD))) {
    throw new Error(`has pads [${counts?.slice(0, 8)}]; expected two integers up to ${LARGEST_PAD} for each axis`);
  }
  let padded = x;
  axes.forEach((axis, i) => {
    padded = padAxis(context, padded, axisOf(axis, rank), [counts[i]!, counts[i + axes.length]!]);
  });
  return padded;
};

const LARGEST_PAD = 2 ** 16;

type Pair = readonly [number, number];

function padAxis(context: OperatorContext, x: TensorValue, onnxAxis: number, [before, after]: Pair): TensorValue {
  if (before === 0 && after === 0) return x;
  const seen = before < 0 || after < 0 ? crop(context, x, onnxAxis, [Math.max(-before, 0), Math.max(-after, 0)]) : x;
  const axis = layerAxis(seen, onnxAxis);
  const zeros = seen.zeros.map(([first, last], i) =>
    i === axis ? ([first + Math.max(before, 0), last + Math.max(after, 0)] as const) : ([first, last] as const),
  );
  return { ...seen, zeros: zeros as unknown as TensorValue['zeros'] };
}

function layerAxis(x: TensorValue, onnxAxis: number): number {
  const axis = onnxAxis === 0 ? undefined : x.axes[onnxAxis - 1];
  if (axis === undefined || x.layer.shape.length !== 3) {
    throw new Error(`changes the size of axis ${onnxAxis} of [batch, ${dimsOf(x)}]; expected an axis of an image`);
  }
  return axis;
}

/** Takes rows or columns off, first of all zeros that were not written yet. */
function crop(context: OperatorContext, x: TensorValue, onnxAxis: number, [before, after]: Pair): TensorValue {
  if (before === 0 && after === 0) return x;
  const axis = layerAxis(x, onnxAxis);
  const [first, last] = x.zeros[axis]!;
  if (before <= first && after <= last) {
    const zeros = x.zeros.map((pair, i) => (i === axis ? ([first - before, last - after] as const) : pair));
    return { ...x, zeros: zeros as unknown as TensorValue['zeros'] };
  }
  const { layer, axes } = context.views.plain(x);
  if (axis === 2) throw new Error('takes some channels and leaves others; expected all of them');
  const cropping = [0, 1].map((i) => (i === axis ? [before, after] : [0, 0])) as [[number, number], [number, number]];
  const shape = layer.shape.map((size, i) => (i === axis ? size - before - after : size));
  const cropped = context.layer(
    {
      shape,
      inputs: [layer],
      nonNegative: layer.nonNegative,
      create: (name) => layers.cropping2D({ name, cropping, dataFormat: 'channelsLast' }),
    },
    'crop',
  );
  return viewOf(cropped, axes);
}

const slice: Operator = (context) => {
  let x = context.tensor();
  for (const { axis, start, step, count, size } of readSlices(context, [Number.NaN, ...dimsOf(x)])) {
    if (axis === 0) {
      if (start !== 0 || step !== 1 || !Number.isNaN(count)) throw new Error('takes some images of the batch');
      continue;
    }
    if (step < 1) throw new Error('reverses an axis of the image');
    if (count < 1) throw new Error('takes nothing');
    // From the first value taken to the end, or to just behind the last.
    const length = step === 1 ? count : Math.min(size - start, count * step);
    x = crop(context, x, axis, [start, size - start - length]);
    if (step > 1) x = subsample(context, x, { onnxAxis: axis, step });
  }
  return x;
};

function subsample(
  context: OperatorContext,
  value: TensorValue,
  { onnxAxis, step }: { onnxAxis: number; step: number },
): TensorValue {
  const isTaken = hasZeros(value) || value.steps[layerAxis(value, onnxAxis)] !== 1;
  const x = isTaken ? context.views.plain(value) : value;
  const axis = layerAxis(x, onnxAxis);
  if (axis === 2) throw new Error('takes some channels and leaves others; expected all of them');
  const [down, right] = x.steps;
  return { ...x, steps: axis === 0 ? [down * step, right] : [down, right * step] };
}

export const shapeOperators: Readonly<Record<string, Operator>> = {
  Cast: cast,
  Flatten: flatten,
  Gather: gather,
  Identity: identity,
  Pad: pad,
  Reshape: reshape,
  Shape: (context) => {
    const dims = [Number.NaN, ...dimsOf(context.tensor())];
    const clamp = (position: number) =>
      Math.min(Math.max(position < 0 ? position + dims.length : position, 0), dims.length);
    const { attributes } = context;
    return integers(dims.slice(clamp(attributes.integer('start', 0)), clamp(attributes.integer('end', dims.length))));
  },
  Slice: slice,
  Squeeze: squeeze,
  Transpose: transpose,
  Unsqueeze: unsqueeze,
};
