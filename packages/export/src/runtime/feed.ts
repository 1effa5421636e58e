import type { Tensor } from 'onnxruntime-node';
import { keys, type OnnxMetadata } from '../metadata.ts';
import { nhwcToNchw } from './images.ts';
import type { ImageBatch } from './network-inputs.ts';
import type { LoadedModel } from './session.ts';

export interface Feed {
  readonly feeds: Record<string, Tensor>;
  /** The images as the network sees them: standardised pixels, where the file takes whole ones. */
  readonly seen: readonly ImageBatch[];
}

/** Puts what tfjs has for each input, channels last, into tensors as the file takes them. */
export function feed(loaded: LoadedModel, batches: readonly ImageBatch[]): Feed {
  const { runtime, session, metadata } = loaded;
  const feeds: Record<string, Tensor> = {};
  const seen = batches.map((batch, i): ImageBatch => {
    const { images, shape } = batch;
    const name = session.inputNames[i]!;
    if (takesPixels(loaded, i)) {
      const pixels = toPixels(images, metadata);
      feeds[name] = new runtime.Tensor('uint8', pixels, shape);
      return { images: images.map((_, value) => standardise(pixels[value]!, value, metadata)), shape };
    }
    const isChannelsFirst = shape.length > 2 && !takesChannelsLast(metadata, i);
    const [count, ...rest] = shape as [number, ...number[]];
    feeds[name] = isChannelsFirst
      ? new runtime.Tensor('float32', nhwcToNchw(images, shape), [count, rest.at(-1)!, ...rest.slice(0, -1)])
      : new runtime.Tensor('float32', images, shape);
    return batch;
  });
  return { feeds, seen };
}

/** Whether the file standardises images itself: uint8, NHWC. */
export function takesPixels({ session }: LoadedModel, index = 0): boolean {
  const input = session.inputMetadata[index];
  return input?.isTensor === true && input.type === 'uint8';
}

/** Whether an input has more axes than batch and channels, and channels last of them, as the file says; most are channels first. */
export function takesChannelsLast({ properties }: OnnxMetadata, index: number): boolean {
  const layout = (properties[keys.layout] ?? '').split(',')[index] ?? '';
  return layout.length > 2 && layout.endsWith('C');
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
