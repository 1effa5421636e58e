import type { LayersModel } from '@tensorflow/tfjs-layers';
import { convertModel, type ExportOptions } from './export-onnx.ts';
import { type WriteModelOptions, writeModel } from './external-data/write-model.ts';
import { decodeModel } from './graph/decode.ts';

/**
 * Converts a model with `exportOnnx` and writes it to `path`, which never holds a half-written file. Weights over 2 GB, or over
 * `externalDataOver` bytes, go into `<path>.data`; the two files belong together and can be moved together.
 *
 * @returns the bytes written to `path`.
 * @throws Error as `exportOnnx` does, or when a file cannot be written.
 */
export async function writeOnnx(
  model: LayersModel,
  path: string,
  { externalDataOver, ...options }: ExportOptions & WriteModelOptions = {},
): Promise<Uint8Array> {
  const converted = await convertModel(model, options);
  return writeModel(converted, path, externalDataOver === undefined ? {} : { externalDataOver });
}

/**
 * Writes a model that is there already, such as one of lower precision, the same way.
 *
 * @returns the bytes written to `path`.
 * @throws Error when the bytes are not an ONNX model, or a file cannot be written.
 */
export async function saveOnnx(onnx: Uint8Array, path: string, options: WriteModelOptions = {}): Promise<Uint8Array> {
  return writeModel(decodeModel(onnx), path, options);
}
