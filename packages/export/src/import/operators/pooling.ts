import { layers } from '@tensorflow/tfjs-layers';
import { explicitPads } from '../../layers/same-padding.ts';
import { axisOf } from '../constant.ts';
import { dimsOf, type TensorValue, viewOf } from '../value.ts';
import type { Operator, OperatorContext } from './context.ts';
import { imageSize, outputSizes, type Pads, type Pair, placePads, resolvePads } from './windows.ts';

interface Pool {
  readonly size: Pair;
  readonly strides: Pair;
  readonly pads: Pads;
  /** What rounding the number of positions up adds to the bottom and the right. */
  readonly extra: Pair;
}

function readPool(context: OperatorContext, x: TensorValue): Pool {
  const { attributes } = context;
  const size = attributes.pair('kernel_shape', { least: 1, fallback: [0, 0] });
  if (size[0] === 0) throw new Error('lacks its kernel_shape');
  const strides = attributes.pair('strides', { least: 1, fallback: [1, 1] });
  const dilations = attributes.pair('dilations', { least: 1, fallback: [1, 1] });
  if (dilations.some((rate) => rate > 1)) throw new Error('has dilations; tfjs pools windows without gaps');
  const pads = resolvePads(context, x, { reach: size, strides });
  if ([0, 1].some((axis) => Math.max(pads[axis]!, pads[axis + 2]!) >= size[axis]!)) {
    throw new Error(`has pads [${pads}], which hold whole windows of ${size.join(' x ')}`);
  }
  const extra =
    attributes.integer('ceil_mode', 0) === 0 ? ([0, 0] as const) : extraOf(imageSize(x), { size, strides, pads });
  return { size, strides, pads, extra };
}

/** The last window may begin inside the image or its first padding, and end beyond the last. */
function extraOf(input: Pair, { size, strides, pads }: Omit<Pool, 'extra'>): Pair {
  const [rows, columns] = [0, 1].map((axis) => {
    const padded = input[axis]! + pads[axis]! + pads[axis + 2]!;
    const steps = Math.ceil((padded - size[axis]!) / strides[axis]!);
    const last = steps * strides[axis]! < input[axis]! + pads[axis]! ? steps : steps - 1;
    return Math.max(last * strides[axis]! + size[axis]! - padded, 0);
  });
  return [rows!, columns!];
}

function isIdentity({ size, strides, pads }: Pool): boolean {
  return [...size, ...strides].every((count) => count === 1) && pads.every((count) => count === 0);
}

const maxPool: Operator = (context) => {
  const x = context.views.image(context.tensor());
  const pool = readPool(context, x);
  if (isIdentity(pool)) return x;
  const { size, strides, extra } = pool;
  const [top, left, bottom, right] = pool.pads;
  const pads: Pads = [top, left, bottom + extra[0], right + extra[1]];
  const shape = [...outputSizes(x, { reach: size, strides, pads }), x.layer.shape[2]!];
  const same = (input: Pair) => explicitPads({ input, size, strides, padding: 'same' });
  const isSame = String(same(imageSize(x))) === String(pads);
  const isPadded = pads.some((count) => count > 0);
  if (isPadded && !isSame && !x.layer.nonNegative) return poolThenSubsample(context, x, { size, strides, pads, shape });
  const { input, padding } = placePads(context, x, { pads, same });
  const { nonNegative } = x.layer;
  return viewOf(context.layer({ shape, inputs: [input], nonNegative, create: max(size, strides, padding) }));
};

function max(poolSize: Pair, strides: Pair, padding: 'valid' | 'same') {
  return (name: string) =>
    layers.maxPooling2d({
      name,
      poolSize: [...poolSize],
      strides: [...strides],
      padding,
      dataFormat: 'channelsLast',
    });
}

/**
 * Zeros around an image could be its maximum where values are negative, and tfjs's own padding is only as wide as its mode
 * says: so the maximum of every position is taken, and every n-th of them.
 */
function poolThenSubsample(
  context: OperatorContext,
  x: TensorValue,
  { size, strides, pads, shape }: { size: Pair; strides: Pair; pads: Pads; shape: readonly number[] },
): TensorValue {
  const input = imageSize(x);
  const everywhere = explicitPads({ input, size, strides: [1, 1], padding: 'same' });
  const positions = [0, 1].map((axis) => Math.ceil(input[axis]! / strides[axis]!));
  if (pads[0] !== everywhere[0] || pads[1] !== everywhere[1] || String(positions) !== String(shape.slice(0, 2))) {
    throw new Error(
      `has pads [${pads}] around values that can be negative; tfjs can pad a window of ${size.join(' x ')} with stride ${strides.join(' x ')} only as its mode 'same' does`,
    );
  }
  const pooled = context.layer({ shape: x.layer.shape, inputs: [x.layer], create: max(size, [1, 1], 'same') });
  return viewOf(context.layer({ shape, inputs: [pooled], create: max([1, 1], strides, 'valid') }, 'subsample'));
}

const averagePool: Operator = (context) => {
  const x = context.views.image(context.tensor());
  const pool = readPool(context, x);
  if (isIdentity(pool)) return x;
  const { size, strides, extra } = pool;
  const [top, left, bottom, right] = pool.pads;
  const isPadded = pool.pads.some((count) => count > 0);
  const countsZeros = isPadded && context.attributes.integer('count_include_pad', 0) !== 0;
  if (countsZeros && extra.some((count) => count > 0)) {
    throw new Error('counts its padding but not what ceil_mode adds to it, which tfjs cannot');
  }
  const pads: Pads = [top, left, bottom + extra[0], right + extra[1]];
  const shape = [...outputSizes(x, { reach: size, strides, pads }), x.layer.shape[2]!];
  // The mode 'same' averages over real pixels alone.
  const same = (input: Pair) => (countsZeros ? [] : explicitPads({ input, size, strides, padding: 'same' }));
  if (!countsZeros && pads.some((count) => count > 0) && String(same(imageSize(x))) !== String(pads)) {
    throw new Error(
      `has pads [${pads}] that it does not count; tfjs can leave out only those of its mode 'same', [${same(imageSize(x))}]`,
    );
  }
  const { input, padding } = placePads(context, x, { pads, same });
  return viewOf(
    context.layer({
      shape,
      inputs: [input],
      nonNegative: x.layer.nonNegative,
      create: (name) =>
        layers.averagePooling2d({
          name,
          poolSize: [...size],
          strides: [...strides],
          padding,
          dataFormat: 'channelsLast',
        }),
    }),
  );
};

type GlobalPool = (name: string) => ReturnType<typeof layers.globalAveragePooling2d>;

const average: GlobalPool = (name) => layers.globalAveragePooling2d({ name, dataFormat: 'channelsLast' });
const maximum: GlobalPool = (name) => layers.globalMaxPooling2d({ name, dataFormat: 'channelsLast' });

/** Over height and width; the axes stay with size 1. */
function poolAll(context: OperatorContext, x: TensorValue, create: GlobalPool): TensorValue {
  const { layer } = x;
  const pooled = context.layer({ shape: [layer.shape[2]!], inputs: [layer], nonNegative: layer.nonNegative, create });
  return viewOf(
    pooled,
    x.axes.map((axis) => (axis === 2 ? 0 : undefined)),
  );
}

const globally =
  (create: GlobalPool): Operator =>
  (context) =>
    poolAll(context, context.views.image(context.tensor()), create);

/** ReduceMean and ReduceMax, over height and width together. */
const reduce =
  (create: GlobalPool): Operator =>
  (context) => {
    const x = context.views.plain(context.tensor());
    const dims = dimsOf(x);
    const rank = dims.length + 1;
    const named = context.integers('axes', 1);
    if (!named?.length) throw new Error('reduces over all axes; expected height and width');
    const axes = new Set(named.map((axis) => axisOf(axis, rank) - 1));
    const reduced = [...axes].filter((axis) => axis < 0 || dims[axis] !== 1);
    const over = new Set(reduced.map((axis) => x.axes[axis]));
    const isWhole = x.layer.shape.every((size, axis) => over.has(axis) === axis < 2 || (size === 1 && axis < 2));
    if (reduced.length > 0 && (x.layer.shape.length !== 3 || !isWhole)) {
      throw new Error(`reduces over the axes [${named}] of [batch, ${dims}]; expected height and width together`);
    }
    const pooled = reduced.length === 0 ? x : poolAll(context, x, create);
    if (context.attributes.integer('keepdims', 1) !== 0) return pooled;
    return { ...pooled, axes: pooled.axes.filter((_, axis) => !axes.has(axis)) };
  };

export const poolingOperators: Readonly<Record<string, Operator>> = {
  AveragePool: averagePool,
  GlobalAveragePool: globally(average),
  GlobalMaxPool: globally(maximum),
  MaxPool: maxPool,
  ReduceMax: reduce(maximum),
  ReduceMean: reduce(average),
};
