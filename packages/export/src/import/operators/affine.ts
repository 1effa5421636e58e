import { layers } from '@tensorflow/tfjs-layers';
import { asFloat32, type Constant } from '../constant.ts';
import { dimsOf, hasZeros, isStepped, type TensorValue, viewOf } from '../value.ts';
import type { OperatorContext } from './context.ts';
import { absorbIntoKernel } from './kernels.ts';
import { inLayerOrder } from './vectors.ts';

/** y = x * scale + shift, with one number or one for each channel. */
export interface Affine {
  readonly scale?: Constant | number;
  readonly shift?: Constant | number;
}

/**
 * Where nothing else reads a convolution or dense layer, its weights take the affine map in. Elsewhere it becomes a depthwise
 * convolution of one pixel, which is not trained: tfjs-layers has no layer that scales.
 */
export function affine(context: OperatorContext, value: TensorValue, { scale = 1, shift = 0 }: Affine): TensorValue {
  const x = hasZeros(value) || isStepped(value) ? context.views.plain(value) : value;
  const [factors, summands] = [scale, shift].map((part) => perChannel(part, x)) as [Float32Array, Float32Array];
  if (factors.every((factor) => factor === 1) && summands.every((summand) => summand === 0)) return x;
  if (x.sole && x === value && x.layer.absorb) {
    context.budget.compute(
      factors.length + [...x.layer.weights.values()].reduce((sum, { data }) => sum + data.length, 0),
    );
    x.layer.absorb(x.layer.weights, factors, summands);
    return x;
  }
  const channels = factors.length;
  const { axes, order } = x;
  const spatial = x.layer.shape.length === 3 ? x.layer : reshaped(context, x, [1, 1, channels], 'image');
  if (spatial.shape.length !== 3)
    throw new Error(`scales a tensor of ${axes.length + 1} axes; expected images or features`);
  context.note('a scale or shift became a depthwise convolution of one pixel, which training leaves as it is');
  const mapped = context.layer(
    {
      shape: spatial.shape,
      inputs: [spatial],
      weights: new Map([
        ['depthwise_kernel', { data: factors, shape: [1, 1, channels, 1] }],
        ['bias', { data: summands, shape: [channels] }],
      ]),
      absorb: absorbIntoKernel('depthwise_kernel'),
      create: (name) =>
        layers.depthwiseConv2d({
          name,
          kernelSize: 1,
          padding: 'valid',
          dataFormat: 'channelsLast',
          depthwiseInitializer: 'zeros',
          trainable: false,
        }),
    },
    'affine',
  );
  if (spatial === x.layer) return viewOf(mapped, axes, order);
  return viewOf(reshaped(context, viewOf(mapped), [channels], 'features'), axes, order);
}

function reshaped(context: OperatorContext, { layer }: TensorValue, shape: readonly number[], part: string) {
  return context.layer(
    { shape, inputs: [layer], create: (name) => layers.reshape({ name, targetShape: [...shape] }) },
    part,
  );
}

/** The layer's channel i meets number i. */
function perChannel(part: Constant | number, value: TensorValue): Float32Array {
  const last = value.layer.shape.length - 1;
  const channels = value.layer.shape[last]!;
  if (typeof part === 'number') return new Float32Array(channels).fill(part);
  const dims = [1, ...dimsOf(value)];
  const before = dims.length - part.dims.length;
  const along = part.dims.flatMap((size, i) => (size === 1 ? [] : [{ axis: before + i, size }]));
  if (along.length === 0 && before >= 0) return new Float32Array(channels).fill(part.data[0]!);
  const [{ axis, size }] = along as [{ axis: number; size: number }];
  if (before < 0 || along.length > 1 || axis === 0 || value.axes[axis - 1] !== last || size !== channels) {
    throw new Error(
      `meets constants of shape [${part.dims}] in a tensor of shape [batch, ${dims.slice(1)}]; expected one number, or one for each channel`,
    );
  }
  return inLayerOrder(asFloat32(part), value.order);
}
