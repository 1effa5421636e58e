import type { Tensor } from 'onnxruntime-node';
import { keys, type OnnxMetadata } from '../metadata.ts';
import { nhwcToNchw } from './images.ts';
import type { LoadedModel } from './session.ts';

export interface Feed {
  readonly feeds: Record<string, Tensor>;
  /** The images as the network sees them: standardised pixels, where the file takes whole ones. */
  readonly seen: Float32Array;
}

/** Puts standardised images as tfjs has them, NHWC, or vectors into a tensor as the file takes it. */
export function feed(loaded: LoadedModel, images: Float32Array, shape: readonly number[]): Feed {
  const { runtime, session, metadata } = loaded;
  const [name] = session.inputNames as [string];
  if (takesPixels(loaded)) {
    const pixels = toPixels(images, metadata);
    const seen = images.map((_, i) => standardise(pixels[i]!, i, metadata));
    return { feeds: { [name]: new runtime.Tensor('uint8', pixels, shape) }, seen };
  }
  const [count, height, width, channels] = shape;
  const isChannelsFirst = shape.length === 4 && metadata.properties[keys.layout] !== 'NHWC';
  const input = isChannelsFirst
    ? new runtime.Tensor('float32', nhwcToNchw(images, shape), [count!, channels!, height!, width!])
    : new runtime.Tensor('float32', images, shape);
  return { feeds: { [name]: input }, seen: images };
}

/** Whether the file standardises images itself: uint8, NHWC. */
export function takesPixels({ session }: LoadedModel): boolean {
  const [input] = session.inputMetadata;
  return input?.isTensor === true && input.type === 'uint8';
}

function toPixels(images: Float32Array, { mean, std, inputScale = 1 }: OnnxMetadata): Uint8Array {
  const pixels = new Uint8ClampedArray(images.length);
  for (const [i, value] of images.entries()) {
    pixels[i] = (value * at(std, i, 1) + at(mean, i, 0)) / inputScale;
  }
  return new Uint8Array(pixels.buffer);
}

function standardise(pixel: number, i: number, { mean, std, inputScale = 1 }: OnnxMetadata): number {
  return (pixel * inputScale - at(mean, i, 0)) / at(std, i, 1);
}

/** Of the channel of value `i`; channels are the last axis. */
function at(perChannel: readonly number[] | undefined, i: number, fallback: number): number {
  return perChannel ? perChannel[i % perChannel.length]! : fallback;
}
