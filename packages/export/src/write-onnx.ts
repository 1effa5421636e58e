import { randomUUID } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type ExportOptions, exportOnnx } from './export-onnx.ts';

/**
 * Converts a model with `exportOnnx` and writes it to `path`, which never holds a half-written file.
 *
 * @returns the bytes written.
 * @throws Error as `exportOnnx` does, or when the file cannot be written.
 */
export async function writeOnnx(model: LayersModel, path: string, options: ExportOptions = {}): Promise<Uint8Array> {
  const bytes = await exportOnnx(model, options);
  const unfinished = `${path}.${randomUUID()}.part`;
  try {
    await writeFile(unfinished, bytes, { flush: true });
    await rename(unfinished, path);
  } catch (cause) {
    await rm(unfinished, { force: true });
    throw new Error(`The ONNX file '${path}' could not be written: ${(cause as Error).message}`, { cause });
  }
  return bytes;
}
