import { dirname } from 'node:path';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { ExternalData } from '../external-data/external-data.ts';
import { decodeModel } from '../graph/decode.ts';
import { metadataOf, type OnnxMetadata } from '../metadata.ts';
import { nameOf, type OnnxSource, readModelFile } from '../runtime/load-model.ts';
import { convertGraph } from './convert-graph.ts';
import { tidy } from './layer-name.ts';
import { Budget, type ImportLimits, resolveLimits } from './limits.ts';
import type { InputOptions } from './read-input.ts';
import { readTensor } from './read-tensor.ts';
import { scanFields } from './scan-fields.ts';
import { readSourceGraph } from './source-graph.ts';

export interface ImportOptions extends InputOptions {
  /** Which output to import, for a file that has several. */
  readonly output?: string;
  /** Whether a softmax that the network ends in is left out, as training and scoring need it. Default false. */
  readonly logits?: boolean;
  /** What the file may ask for at most; the defaults suit every common classifier. */
  readonly limits?: Partial<ImportLimits>;
}

export interface ImportedModel {
  /** Channels last, ready to be scored, pruned, trained and exported. */
  readonly model: LayersModel;
  /** What the file says about itself. */
  readonly metadata: OnnxMetadata;
  /** Where the model differs from the file in more than its form; empty for most files. */
  readonly notes: readonly string[];
}

/**
 * Reads an image classifier from ONNX, as PyTorch, tf2onnx and `exportOnnx` write them, into a LayersModel on the active engine.
 *
 * Images become channels last and kernels are reordered, so that transposes in the file disappear. Layers are named after the
 * file's weights and nodes. BatchNormalization stays a layer of its own where the file has it. The batch is open, also where the
 * file fixes it.
 *
 * @param source The file's bytes, or its path; weights in external files need the path.
 * @throws Error when the file is not ONNX, damaged, or asks for more than the limits; when it is no network of one image input;
 * or when nodes have no counterpart in tfjs-layers, with all of them listed.
 */
export async function importOnnx(
  source: OnnxSource,
  { output, logits = false, limits: chosen = {}, ...input }: ImportOptions = {},
): Promise<ImportedModel> {
  const limits = resolveLimits(chosen);
  const budget = new Budget(limits.bytes);
  const name = nameOf(source);
  const bytes = typeof source === 'string' ? await readModelFile(source, budget) : source;
  if (typeof source !== 'string') budget.read(bytes.length);
  try {
    scanFields(bytes);
    const proto = decodeModel(bytes, name);
    const external = new ExternalData(typeof source === 'string' ? dirname(source) : undefined, budget);
    const graph = readSourceGraph(proto, { limits, external, output });
    const conversion = convertGraph(graph, {
      ...input,
      limits,
      budget,
      logits,
      readTensor: (tensor) => readTensor(tensor, external),
    });
    const model = conversion.plan.build(tidy(graph.name) || 'imported', conversion.output);
    return { model, metadata: metadataOf(proto), notes: conversion.notes };
  } catch (cause) {
    throw new Error(`${name} cannot be imported: ${(cause as Error).message}`, { cause });
  }
}
