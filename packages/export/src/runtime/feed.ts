import type { Tensor } from 'onnxruntime-node';
import { keys } from '../metadata.ts';
import { nhwcToNchw } from './images.ts';
import type { LoadedModel } from './session.ts';

/** Puts images as tfjs has them, NHWC, or vectors into a tensor as the file takes it. */
export function feed(
  { runtime, session, metadata }: LoadedModel,
  images: Float32Array,
  shape: readonly number[],
): Record<string, Tensor> {
  const [count, height, width, channels] = shape;
  const isChannelsFirst = shape.length === 4 && metadata.properties[keys.layout] !== 'NHWC';
  const input = isChannelsFirst
    ? new runtime.Tensor('float32', nhwcToNchw(images, shape), [count!, channels!, height!, width!])
    : new runtime.Tensor('float32', images, shape);
  return { [session.inputNames[0]!]: input };
}
