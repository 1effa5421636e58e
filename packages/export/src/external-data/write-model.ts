import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { onnx as Onnx } from 'onnx-proto';
import { encode, MOST_INLINE_BYTES, weightBytes } from '../graph/encode.ts';
import { onnx } from '../graph/proto.ts';

export interface WriteModelOptions {
  /** Weights of more bytes than this go into a file of their own, `<file>.data`. Default 2^31 - 2^20, what an ONNX file holds. */
  readonly externalDataOver?: number;
}

/** Smaller constants stay in the model: shapes and axes, which programs want to see without the weights. */
const SMALLEST_EXTERNAL = 1024;

/** Weights begin at multiples of a memory page, so that programs can map them. */
const PAGE = 4096;

/**
 * Writes a model to `path`, which never holds a half-written file nor one whose weights belong to another.
 *
 * @returns the bytes of the model's own file.
 * @throws Error when a file cannot be written.
 */
export async function writeModel(
  model: Onnx.IModelProto,
  path: string,
  { externalDataOver = MOST_INLINE_BYTES }: WriteModelOptions = {},
): Promise<Uint8Array> {
  try {
    const dataPath = `${path}.data`;
    if (weightBytes(model) <= externalDataOver) {
      const bytes = encode(model);
      await writeWhole(path, (file) => file.writeFile(bytes));
      return bytes;
    }
    const { graph, moved } = moveOut(model.graph!, basename(dataPath));
    const bytes = encode({ ...model, graph });
    // Were the program stopped between the two, an old model would read the new weights.
    await rm(path, { force: true });
    await writeWhole(dataPath, (file) => writeParts(file, moved));
    await writeWhole(path, (file) => file.writeFile(bytes));
    return bytes;
  } catch (cause) {
    throw new Error(`The ONNX file '${path}' could not be written: ${reasonOf(cause as NodeJS.ErrnoException, path)}`, {
      cause,
    });
  }
}

function reasonOf({ code, message }: NodeJS.ErrnoException, path: string): string {
  if (code === 'ENOENT') return `there is no folder '${dirname(path)}'. Make it first.`;
  if (code === 'EISDIR') return 'it is a folder. Name a file.';
  return message;
}

interface Part {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

function moveOut(graph: Onnx.IGraphProto, location: string): { graph: Onnx.IGraphProto; moved: Part[] } {
  const moved: Part[] = [];
  let end = 0;
  const initializer = graph.initializer!.map((tensor): Onnx.ITensorProto => {
    const bytes = tensor.rawData;
    if (!bytes || bytes.length < SMALLEST_EXTERNAL) return tensor;
    const offset = Math.ceil(end / PAGE) * PAGE;
    end = offset + bytes.length;
    moved.push({ offset, bytes });
    const { rawData: _, ...rest } = { ...tensor };
    const entries = { location, offset, length: bytes.length };
    return {
      ...rest,
      dataLocation: onnx.TensorProto.DataLocation.EXTERNAL,
      externalData: Object.entries(entries).map(([key, value]) => ({ key, value: String(value) })),
    };
  });
  return { graph: { ...graph, initializer }, moved };
}

async function writeParts(file: FileHandle, parts: readonly Part[]): Promise<void> {
  // One call writes less than 2^31 bytes.
  const most = 2 ** 30;
  for (const { offset, bytes } of parts) {
    for (let done = 0; done < bytes.length; ) {
      const length = Math.min(most, bytes.length - done);
      done += (await file.write(bytes, done, length, offset + done)).bytesWritten;
    }
  }
}

async function writeWhole(path: string, write: (file: FileHandle) => Promise<unknown>): Promise<void> {
  const unfinished = `${path}.${randomUUID()}.part`;
  try {
    const file = await open(unfinished, 'w');
    try {
      await write(file);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}
