import type { onnx as Onnx } from 'onnx-proto';
import type { InferenceSession } from 'onnxruntime-node';
import { decodeModel } from '../graph/decode.ts';
import { metadataOf, type OnnxMetadata } from '../metadata.ts';
import { checkExternalData, nameOf, type OnnxSource, readModelFile } from './load-model.ts';

export type Runtime = typeof import('onnxruntime-node');

export interface LoadedModel {
  readonly runtime: Runtime;
  readonly session: InferenceSession;
  readonly model: Onnx.ModelProto;
  readonly metadata: OnnxMetadata;
  /** Size of the file, with weights in other files. */
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
  const name = nameOf(source);
  const bytes = typeof source === 'string' ? await readModelFile(source) : source;
  const model = decodeModel(bytes, name);
  const metadata = metadataOf(model);
  // onnxruntime finds weights in other files by the path of the model; which files, is for us to allow.
  const externalBytes = checkExternalData(model, source);
  const runtime = await loadRuntime();
  try {
    // Fatal messages alone: whatever goes wrong is thrown, and need not be printed too.
    const settings = { logSeverityLevel: 4 as const, ...options };
    const session =
      externalBytes !== undefined && typeof source === 'string'
        ? await runtime.InferenceSession.create(source, settings)
        : await runtime.InferenceSession.create(bytes, settings);
    return { runtime, session, model, metadata, bytes: bytes.byteLength + (externalBytes ?? 0) };
  } catch (cause) {
    throw new Error(`${name}: onnxruntime does not accept this model: ${(cause as Error).message}`, { cause });
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
