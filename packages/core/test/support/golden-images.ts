import { type NetFile, readGoldenBytes, readGoldenJson } from './golden-files.ts';

interface ImagesFile {
  readonly file: string;
  /** [images, height, width, channels] */
  readonly shape: readonly [number, number, number, number];
  readonly labels: readonly number[];
  readonly class_names: readonly string[];
  readonly images_per_class: number;
  readonly sha256: string;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

export interface GoldenImages {
  /** NHWC, standardised. */
  readonly images: Float32Array;
  /** [images, height, width, channels] */
  readonly shape: readonly [number, number, number, number];
  readonly labels: Int32Array;
  readonly classNames: readonly string[];
}

/** The network's window of every image, standardised in float32; with `indices`, only those images, in that order. */
export function goldenImages(net: NetFile, indices?: readonly number[]): GoldenImages {
  const index = readGoldenJson<ImagesFile>('images.json');
  const bytes = readGoldenBytes(index.file);
  const [count, height, width, channels] = index.shape;
  const { size, crop_top: top, crop_left: left } = net.input;
  const chosen = indices ?? Array.from({ length: count }, (_, image) => image);
  const images = new Float32Array(chosen.length * size * size * channels);
  const mean = index.mean.map(Math.fround);
  const std = index.std.map(Math.fround);
  let target = 0;
  for (const image of chosen) {
    for (let y = top; y < top + size; y++) {
      for (let x = left; x < left + size; x++) {
        for (let c = 0; c < channels; c++) {
          const byte = bytes[((image * height + y) * width + x) * channels + c]!;
          const centred = Math.fround(Math.fround(byte / 255) - mean[c]!);
          images[target++] = centred / std[c]!;
        }
      }
    }
  }
  return {
    images,
    shape: [chosen.length, size, size, channels],
    labels: Int32Array.from(chosen, (image) => index.labels[image]!),
    classNames: index.class_names,
  };
}
