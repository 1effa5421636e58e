import * as tf from '@tensorflow/tfjs-core';
import { BACKEND_NAME, type KernelCall } from '../kernel.ts';

/** What a picture may be in Node: its bytes, or a canvas (of the package `canvas`, say). */
type Picture =
  | { readonly width: number; readonly height: number; readonly data: ArrayLike<number> }
  | {
      readonly width: number;
      readonly height: number;
      getContext(kind: '2d'): {
        getImageData(x: number, y: number, width: number, height: number): { readonly data: ArrayLike<number> };
      };
    };

const CHANNELS = 4;

/** RGBA bytes, four per pixel. */
function bytesOf(picture: Picture): ArrayLike<number> {
  const { width, height } = picture;
  const data = 'data' in picture ? picture.data : picture.getContext?.('2d').getImageData(0, 0, width, height).data;
  if (data?.length !== width * height * CHANNELS) {
    throw new Error(
      `fromPixels: expected ${CHANNELS} bytes for each of ${width}x${height} pixels, as { data, width, height } or a canvas, ` +
        `but got ${data ? `${data.length} bytes` : 'neither'}.`,
    );
  }
  return data;
}

export const fromPixels: tf.KernelConfig = {
  kernelName: tf.FromPixels,
  backendName: BACKEND_NAME,
  kernelFunc: (params) => {
    const { inputs, attrs, backend } = params as unknown as KernelCall<{ pixels: Picture }, tf.FromPixelsAttrs>;
    const { width, height } = inputs.pixels;
    const { numChannels } = attrs;
    const bytes = bytesOf(inputs.pixels);
    const values = new Int32Array(width * height * numChannels);
    for (let pixel = 0; pixel < width * height; pixel++) {
      for (let channel = 0; channel < numChannels; channel++) {
        values[pixel * numChannels + channel] = bytes[pixel * CHANNELS + channel]!;
      }
    }
    return backend.makeFromValues(values, [height, width, numChannels], 'int32');
  },
};
