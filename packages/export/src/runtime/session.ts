import { readFile } from 'node:fs/promises';
import type { InferenceSession } from 'onnxruntime-node';
import { decodeModel } from '../graph/decode.ts';
import { metadataOf, type OnnxMetadata } from '../metadata.ts';

/** An ONNX model: its bytes, or the path of its file. */
export type OnnxSource = Uint8Array | string;

export type Runtime = typeof import('onnxruntime-node');

export interface LoadedModel {
  readonly runtime: Runtime;
  readonly session: InferenceSession;
  readonly metadata: OnnxMetadata;
  /** Size of the file. */
  readonly bytes: number;
}

/**
 * Opens a model in onnxruntime-node. The caller releases the session.
 *
 * @throws Error when the file cannot be read, is not ONNX, or onnxruntime refuses it or is not installed.
 */
export async function openModel(
  source: OnnxSource,
  options: InferenceSession.SessionOptions = {},
): Promise<LoadedModel> {
  const name = typeof source === 'string' ? `'${source}'` : 'The ONNX model';
  const bytes = typeof source === 'string' ? await readModelFile(source) : source;
  const metadata = metadataOf(decodeModel(bytes, name));
  const runtime = await loadRuntime();
  try {
    // Fatal messages alone: whatever goes wrong is thrown, and need not be printed too.
    const session = await runtime.InferenceSession.create(bytes, { logSeverityLevel: 4, ...options });
    return { runtime, session, metadata, bytes: bytes.byteLength };
  } catch (cause) {
    throw new Error(`${name}: onnxruntime does not accept this model: ${(cause as Error).message}`, { cause });
  }
}

async function readModelFile(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new Error(`The ONNX file '${path}' could not be read: ${(cause as Error).message}`, { cause });
  }
}

/** Loaded on first use: the exporter itself also runs where onnxruntime has no binary. */
async function loadRuntime(): Promise<Runtime> {
  try {
    return await import('onnxruntime-node');
  } catch (cause) {
    throw new Error(
      `onnxruntime-node could not be loaded on ${process.platform}-${process.arch} (${(cause as Error).message}). It has binaries for Linux and Windows (x64, arm64) and macOS (arm64); reinstall it there, or verify the file on such a machine.`,
      { cause },
    );
  }
}
