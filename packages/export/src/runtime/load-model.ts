import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { onnx as Onnx } from 'onnx-proto';
import { byteLengthOf } from '../check/value-type.ts';
import { ExternalData, type ReadBudget } from '../external-data/external-data.ts';
import { decodeModel } from '../graph/decode.ts';
import { MOST_INLINE_BYTES } from '../graph/encode.ts';
import { onnx } from '../graph/proto.ts';
import { quote } from '../quote.ts';

const { DataLocation } = onnx.TensorProto;

/** An ONNX model: its bytes, or the path of its file. */
export type OnnxSource = Uint8Array | string;

/** A larger model would not even in half precision fit into one file. */
const MOST_BYTES = 2 * MOST_INLINE_BYTES;

/**
 * Decodes a model, weights in other files included.
 *
 * @throws Error when a file cannot be read or is not ONNX, weights do not lie beside the model, or all of it takes over 4 GB.
 */
export async function loadModel(source: OnnxSource): Promise<Onnx.IModelProto> {
  let bytes = 0;
  const budget: ReadBudget = {
    read(more) {
      bytes += more;
      if (bytes > MOST_BYTES) {
        throw new Error(`Expected a model of at most ${MOST_BYTES} bytes, external data included, but it has more.`);
      }
    },
  };
  const file = typeof source === 'string' ? await readModelFile(source, budget) : source;
  const model = decodeModel(file, nameOf(source));
  forEachExternal(model, source, {
    budget,
    visit(external, tensor, expected) {
      tensor.rawData = external.read(tensor, expected);
      tensor.dataLocation = DataLocation.DEFAULT;
      tensor.externalData = [];
    },
  });
  return model;
}

/**
 * Checks weights that lie in other files, without reading them.
 *
 * @returns their bytes; undefined when there are none.
 * @throws Error when one is missing or too short, lies outside of the model's folder, or the model came as bytes.
 */
export function checkExternalData(model: Onnx.IModelProto, source: OnnxSource): number | undefined {
  let bytes: number | undefined;
  forEachExternal(model, source, {
    budget: unlimited,
    visit(external, tensor, expected) {
      bytes = (bytes ?? 0) + expected;
      external.check(tensor, expected);
    },
  });
  return bytes;
}

export function nameOf(source: OnnxSource): string {
  return typeof source === 'string' ? `'${source}'` : 'The ONNX model';
}

const unlimited: ReadBudget = { read: () => undefined };

/** @throws Error when there is no such file, it is a pipe, a device or a folder, or larger than the budget. */
export async function readModelFile(path: string, budget = unlimited): Promise<Uint8Array> {
  try {
    // Opening a pipe would otherwise wait for a writer.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stats = await file.stat();
      if (!stats.isFile()) throw new Error('it is not a regular file');
      budget.read(stats.size);
      return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw new Error(`The ONNX file '${path}' could not be read: ${(cause as Error).message}`, { cause });
  }
}

type Visit = (external: ExternalData, tensor: Onnx.ITensorProto, expected: number) => void;

function forEachExternal(
  model: Onnx.IModelProto,
  source: OnnxSource,
  { budget, visit }: { budget: ReadBudget; visit: Visit },
): void {
  const external = new ExternalData(typeof source === 'string' ? dirname(source) : undefined, budget);
  for (const tensor of tensorsOf(model.graph)) {
    if (tensor.dataLocation !== DataLocation.EXTERNAL) continue;
    const expected = byteLengthOf(tensor);
    if (expected === undefined) {
      throw new Error(
        `Expected numbers in the external data of ${quote(tensor.name ?? '')}, but it has the data type ${tensor.dataType}.`,
      );
    }
    visit(external, tensor, expected);
  }
}

/** All constants, those of nodes and of graphs within nodes included. */
function* tensorsOf(graph: Onnx.IGraphProto | null | undefined): Generator<Onnx.ITensorProto> {
  yield* graph?.initializer ?? [];
  for (const { t, tensors, g, graphs } of graph?.node?.flatMap(({ attribute }) => attribute ?? []) ?? []) {
    if (t) yield t;
    yield* tensors ?? [];
    for (const inner of [g, ...(graphs ?? [])]) yield* tensorsOf(inner);
  }
}
