import { open, realpath } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import type { onnx as Onnx } from 'onnx-proto';
import { onnx } from '../graph/proto.ts';

const { DataLocation } = onnx.TensorProto;

/** The constants of a model whose numbers lie in another file. */
export function externalTensors(model: Onnx.IModelProto): Onnx.ITensorProto[] {
  return (model.graph?.initializer ?? []).filter(({ dataLocation }) => dataLocation === DataLocation.EXTERNAL);
}

/**
 * Finds the files that a model's weights lie in.
 *
 * @param folder where the model lies.
 * @throws Error when one is missing, or lies outside of the folder, links included.
 */
export async function locateExternalData(
  model: Onnx.IModelProto,
  folder: string,
): Promise<ReadonlyMap<Onnx.ITensorProto, string>> {
  const files = new Map<Onnx.ITensorProto, string>();
  for (const tensor of externalTensors(model)) files.set(tensor, await locate(tensor, folder));
  return files;
}

/**
 * Reads the weights that lie in other files into the model.
 *
 * @throws Error as `locateExternalData` does, or when a file is too short.
 */
export async function embedExternalData(model: Onnx.IModelProto, folder: string): Promise<void> {
  for (const [tensor, file] of await locateExternalData(model, folder)) {
    tensor.rawData = await readPart(tensor, file);
    tensor.dataLocation = DataLocation.DEFAULT;
    tensor.externalData = [];
  }
}

async function locate(tensor: Onnx.ITensorProto, folder: string): Promise<string> {
  const location = entryOf(tensor, 'location') ?? '';
  const outside = () =>
    new Error(
      `Expected the weights '${tensor.name}' in a file beside the model or below it, but they are said to be in '${location}'. A model must not read other files.`,
    );
  if (location === '' || isAbsolute(location) || location.split(/[\\/]/).includes('..')) throw outside();
  let file: string;
  try {
    file = await realpath(join(folder, location));
  } catch (cause) {
    throw new Error(
      `The weights '${tensor.name}' are said to be in '${location}', which is not beside the model. Put it there.`,
      { cause },
    );
  }
  const way = relative(await realpath(folder), file);
  if (isAbsolute(way) || way.split(sep)[0] === '..') throw outside();
  return file;
}

async function readPart(tensor: Onnx.ITensorProto, path: string): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const offset = Number(entryOf(tensor, 'offset') ?? 0);
    const length = Number(entryOf(tensor, 'length') ?? size - offset);
    if (!(offset >= 0 && length >= 0 && offset + length <= size)) {
      throw new Error(
        `Expected ${length} bytes at ${offset} for the weights '${tensor.name}', but '${path}' has ${size}. It may be cut short; export the model again.`,
      );
    }
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const { bytesRead } = await file.read(bytes, done, length - done, offset + done);
      if (bytesRead === 0) throw new Error(`'${path}' was cut short while it was read.`);
      done += bytesRead;
    }
    return bytes;
  } finally {
    await file.close();
  }
}

function entryOf({ externalData }: Onnx.ITensorProto, key: string): string | undefined {
  return externalData?.find((entry) => entry.key === key)?.value ?? undefined;
}
