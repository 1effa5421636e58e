import { layers } from '@tensorflow/tfjs-layers';
import { offsetsOf, product, stridesOf } from './constant.ts';
import type { Budget } from './limits.ts';
import type { Layer, LayerPlan, PlannedLayer } from './plan.ts';
import { zeroPadShortcut } from './zero-pad-shortcut.ts';

type Pair = readonly [number, number];

/**
 * A tensor of the network, as ONNX sees it through what a layer puts out. Transposes, squeezes, zeros around an image and
 * subsampling change how it is seen; they become layers only where an operator needs them to.
 * Sizes and axes are without the batch.
 */
export interface TensorValue {
  readonly kind: 'tensor';
  readonly layer: PlannedLayer;
  /** For each ONNX axis, the axis of the layer's output that it is; undefined for an axis of size 1 that the layer lacks. */
  readonly axes: readonly (number | undefined)[];
  /** For features: the ONNX feature i is the layer's feature order[i]. */
  readonly order?: Int32Array | undefined;
  /** Every n-th row and column is taken, then zeros are put around: for the layer's axes height, width, channels. */
  readonly steps: Pair;
  readonly zeros: readonly [Pair, Pair, Pair];
  /** Nothing else reads the layer's output. */
  readonly sole: boolean;
}

const NO_STEPS: Pair = [1, 1];
const NO_ZEROS: TensorValue['zeros'] = [
  [0, 0],
  [0, 0],
  [0, 0],
];

/** Channels-last images as ONNX has them, channels first. */
export const CHANNELS_FIRST: readonly number[] = [2, 0, 1];

export function viewOf(
  layer: PlannedLayer,
  axes: TensorValue['axes'] = layer.shape.length === 3 ? CHANNELS_FIRST : layer.shape.map((_, axis) => axis),
  order?: Int32Array,
): TensorValue {
  return { kind: 'tensor', layer, axes, order, steps: NO_STEPS, zeros: NO_ZEROS, sole: false };
}

/** The sizes of what the layer puts out, as seen through steps and zeros. */
export function sizesOf({ layer, steps, zeros }: TensorValue): number[] {
  return layer.shape.map((size, axis) => {
    const [before, after] = zeros[axis] ?? [0, 0];
    return Math.ceil(size / (steps[axis] ?? 1)) + before + after;
  });
}

/** The sizes that ONNX sees. */
export function dimsOf(value: TensorValue): number[] {
  const sizes = sizesOf(value);
  return value.axes.map((axis) => (axis === undefined ? 1 : sizes[axis]!));
}

export function hasZeros({ zeros }: TensorValue): boolean {
  return zeros.some(([before, after]) => before > 0 || after > 0);
}

export function isStepped({ steps }: TensorValue): boolean {
  return steps.some((step) => step > 1);
}

/** The layer's axis of channels that a per-channel operator needs, or an explanation. */
export function isLastAxis(value: TensorValue, onnxAxis: number): boolean {
  return value.axes[onnxAxis] === value.layer.shape.length - 1;
}

/** Turns views into layers. */
export class Materialiser {
  readonly #plan: LayerPlan;
  readonly #budget: Budget;
  /** ZeroPadShortcuts planned so far. */
  shortcuts = 0;

  constructor(plan: LayerPlan, budget: Budget) {
    this.#plan = plan;
    this.#budget = budget;
  }

  /** Without steps and zeros. */
  plain(value: TensorValue): TensorValue {
    if (!isStepped(value) && !hasZeros(value)) return value;
    const [rows, columns, channels] = value.zeros;
    const [down, right] = value.steps;
    let { layer } = value;
    const padded = channels[0] + channels[1] > 0;
    const atOnce = padded && down === right;
    if (isStepped(value) && !atOnce) layer = this.#subsample(layer, value.steps);
    if (padded) layer = this.#shortcut(layer, atOnce ? down : 1, channels);
    if (rows[0] + rows[1] + columns[0] + columns[1] > 0) layer = this.#pad(layer, [rows, columns]);
    return { ...value, layer, steps: NO_STEPS, zeros: NO_ZEROS };
  }

  /** [height, width, channels] with the axes of ONNX channels first; `keepZeros` around it may stay a view. */
  image(value: TensorValue, { keepZeros = false } = {}): TensorValue {
    if (value.axes.length !== 3) {
      throw new Error(`reads a tensor of ${value.axes.length + 1} axes; expected [batch, channels, height, width]`);
    }
    const onlySpatial = !isStepped(value) && value.zeros[2].every((count) => count === 0);
    const seen = keepZeros && onlySpatial && isChannelsFirst(value) ? value : this.plain(value);
    if (isChannelsFirst(seen)) return seen;
    if (seen.order) throw new Error('reads a flattened image as an image again; only dense layers can follow');
    const [channels, height, width] = seen.axes;
    const present = [height, width, channels].filter((axis) => axis !== undefined);
    const arranged = this.#permute(seen.layer, present);
    return viewOf(
      this.#reshape(
        arranged,
        [1, 2, 0].map((axis) => dimsOf(seen)[axis]!),
      ),
    );
  }

  /** [features] of the layer, in the layer's order; `order` says which is which. */
  features(value: TensorValue): TensorValue {
    if (value.axes.length !== 1) {
      throw new Error(`reads a tensor of ${value.axes.length + 1} axes; expected [batch, features]`);
    }
    const seen = this.plain(value);
    return { ...seen, layer: this.#flatten(seen.layer), axes: [0] };
  }

  /** The same values with other sizes. @throws Error when that would need channels first in memory. */
  reshape(value: TensorValue, dims: readonly number[]): TensorValue {
    const from = dimsOf(value);
    const isNotOne = (size: number) => size !== 1;
    if (String(from.filter(isNotOne)) === String(dims.filter(isNotOne))) {
      const [kept, ones] = [true, false].map((wanted) =>
        value.axes.filter((_, axis) => isNotOne(from[axis]!) === wanted),
      );
      // One axis of size 1 is like another: those that the layer has come first, so that images stay images.
      const real = ones!.filter((axis) => axis !== undefined);
      return { ...value, axes: dims.map((size) => (isNotOne(size) ? kept!.shift() : real.shift())) };
    }
    const seen = this.plain(value);
    if (dims.length === 1) {
      const order = this.#orderOf(seen, from);
      return { ...viewOf(this.#flatten(seen.layer), [0], order), sole: false };
    }
    if (seen.order || this.#orderOf(seen, from)) {
      throw new Error(
        `reshapes [batch, ${from}] to [batch, ${dims}]; only flattening is possible, because images are kept channels last`,
      );
    }
    return viewOf(
      this.#reshape(seen.layer, dims),
      dims.map((_, axis) => axis),
    );
  }

  /** Which of the layer's features each ONNX feature is, once flattened; undefined when it is the same. */
  #orderOf({ layer, axes, order }: TensorValue, dims: readonly number[]): Int32Array | undefined {
    if (order) return order;
    const present = axes.filter((axis, i) => axis !== undefined && dims[i] !== 1);
    if (present.every((axis, i) => i === 0 || present[i - 1]! < axis!)) return undefined;
    this.#budget.compute(product(dims));
    const strides = stridesOf(layer.shape);
    return offsetsOf(
      dims,
      axes.map((axis) => (axis === undefined ? 0 : strides[axis]!)),
    );
  }

  #flatten(layer: PlannedLayer): PlannedLayer {
    if (layer.shape.length === 1) return layer;
    return this.#view(layer, 'flatten', [product(layer.shape)], (name) => layers.flatten({ name }));
  }

  #reshape(layer: PlannedLayer, shape: readonly number[]): PlannedLayer {
    if (String(layer.shape) === String(shape)) return layer;
    return this.#view(layer, 'reshape', shape, (name) => layers.reshape({ name, targetShape: [...shape] }));
  }

  /** Axes that are not named have size 1 and go to the front. */
  #permute(layer: PlannedLayer, named: readonly number[]): PlannedLayer {
    const axes = [...layer.shape.keys()].filter((axis) => !named.includes(axis)).concat(named);
    if (axes.every((axis, i) => axis === i)) return layer;
    const shape = axes.map((axis) => layer.shape[axis]!);
    return this.#view(layer, 'permute', shape, (name) => layers.permute({ name, dims: axes.map((axis) => axis + 1) }));
  }

  #pad(layer: PlannedLayer, padding: readonly [Pair, Pair]): PlannedLayer {
    const [height, width, channels] = layer.shape as [number, number, number];
    const [[top, bottom], [left, right]] = padding;
    return this.#view(layer, 'pad', [height + top + bottom, width + left + right, channels], (name) =>
      layers.zeroPadding2d({
        name,
        padding: [
          [top, bottom],
          [left, right],
        ],
      }),
    );
  }

  #subsample(layer: PlannedLayer, [down, right]: Pair): PlannedLayer {
    const [height, width, channels] = layer.shape as [number, number, number];
    const shape = [Math.ceil(height / down), Math.ceil(width / right), channels];
    return this.#view(layer, 'subsample', shape, (name) =>
      layers.maxPooling2d({ name, poolSize: 1, strides: [down, right], padding: 'valid', dataFormat: 'channelsLast' }),
    );
  }

  #shortcut(layer: PlannedLayer, strides: number, padChannels: Pair): PlannedLayer {
    const [height, width, channels] = layer.shape as [number, number, number];
    const shape = [Math.ceil(height / strides), Math.ceil(width / strides), channels + padChannels[0] + padChannels[1]];
    this.shortcuts++;
    return this.#view(layer, 'shortcut', shape, (name) => zeroPadShortcut({ name, strides, padChannels }));
  }

  #view(layer: PlannedLayer, part: string, shape: readonly number[], create: (name: string) => Layer): PlannedLayer {
    return this.#plan.add({
      name: `${layer.name}_${part}`,
      shape,
      inputs: [layer],
      create,
      nonNegative: layer.nonNegative,
    });
  }
}

function isChannelsFirst({ axes, layer }: TensorValue): boolean {
  return layer.shape.length === 3 && String(axes) === String(CHANNELS_FIRST);
}
