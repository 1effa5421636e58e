import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { onnx as Onnx } from 'onnx-proto';
import { embedExternalData } from '../external-data/read.ts';
import { decodeModel } from '../graph/decode.ts';

/** An ONNX model: its bytes, or the path of its file. */
export type OnnxSource = Uint8Array | string;

/**
 * Decodes a model, weights in other files included.
 *
 * @throws Error when a file cannot be read or is not ONNX, or weights do not lie beside the model.
 */
export async function loadModel(source: OnnxSource): Promise<Onnx.IModelProto> {
  if (typeof source !== 'string') return decodeModel(source);
  const model = decodeModel(await readModelFile(source), nameOf(source));
  await embedExternalData(model, dirname(source));
  return model;
}

export function nameOf(source: OnnxSource): string {
  return typeof source === 'string' ? `'${source}'` : 'The ONNX model';
}

export async function readModelFile(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new Error(`The ONNX file '${path}' could not be read: ${(cause as Error).message}`, { cause });
  }
}
