import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { completeConfigs } from '@secateur/core'; // also registers the layers that our networks have beyond tfjs-layers' own
import type { ChannelStatistics } from '@secateur/data';
import * as tf from '@tensorflow/tfjs-core';
import { type LayersModel, loadLayersModel } from '@tensorflow/tfjs-layers';
import { toJson, writeFolderAtomically } from './files.ts';
import { type FolderForm, folderFormSchema, type NetworkImages } from './image-folder.ts';
import { isOnnxFile, loadOnnxModel } from './onnx-model.ts';

const MODEL_FILE = 'model.json';
const WEIGHTS_FILE = 'weights.bin';

/** What a network was trained on; it travels with the network as user-defined metadata. */
export interface TrainingData extends ChannelStatistics {
  readonly classNames: readonly string[];
  /** How they were read, if from a folder of images. */
  readonly folderForm?: FolderForm | undefined;
}

export function attachTrainingData(model: LayersModel, { classNames, mean, std, folderForm }: TrainingData): void {
  const form = folderForm && { folderForm: { ...folderForm } };
  model.setUserDefinedMetadata({ classNames: [...classNames], mean: [...mean], std: [...std], ...form });
}

/** undefined when the model does not say, for example because another program wrote it. */
export function trainingDataOf(model: LayersModel): TrainingData | undefined {
  const metadata = model.getUserDefinedMetadata() as Partial<TrainingData> | undefined;
  const { classNames, mean, std } = metadata ?? {};
  const { data: folderForm } = folderFormSchema.safeParse(metadata?.folderForm);
  return classNames && mean && std ? { classNames, mean, std, ...(folderForm && { folderForm }) } : undefined;
}

/** The images that a network takes. */
export function imagesOf(model: LayersModel): NetworkImages {
  const [height = null, width = null, channels = null] = model.inputs[0]!.shape.slice(1);
  return { height, width, channels, folderForm: trainingDataOf(model)?.folderForm };
}

/** Writes model.json and weights.bin, the format of tfjs-layers; a former model there is replaced at once. */
export async function saveModel(model: LayersModel, directory: string): Promise<void> {
  completeConfigs(model);
  await model.save(folderHandler(directory));
}

/**
 * Loads a model from a folder with a model.json, from a run directory, whose result it takes, or from an ONNX file.
 *
 * @param warn Takes what the user should know about a network from an ONNX file.
 * @throws Error when there is none, or its files are damaged.
 */
export async function loadModel(path: string, warn: (note: string) => void = () => undefined): Promise<LayersModel> {
  if (isOnnxFile(path)) return loadOnnxModel(path, warn);
  const directory = [path, join(path, 'model')].find((candidate) => existsSync(join(candidate, MODEL_FILE)));
  if (!directory) {
    throw new Error(
      `'${path}' holds no model: expected a folder with ${MODEL_FILE}, a run directory with model/, or an .onnx file.`,
    );
  }
  try {
    return await loadLayersModel(folderHandler(directory));
  } catch (cause) {
    throw new Error(`The model in '${directory}' cannot be loaded: ${(cause as Error).message}`, { cause });
  }
}

/** Loads and saves LayersModels in a folder; works with every engine in Node. */
export function folderHandler(directory: string): tf.io.IOHandler {
  return {
    async save({ modelTopology, weightSpecs = [], weightData, userDefinedMetadata, format, generatedBy, convertedBy }) {
      const manifest: tf.io.WeightsManifestConfig = [{ paths: [WEIGHTS_FILE], weights: weightSpecs }];
      const json = { format, generatedBy, convertedBy, modelTopology, weightsManifest: manifest, userDefinedMetadata };
      const weights = new Uint8Array(tf.io.CompositeArrayBuffer.join(weightData));
      await writeFolderAtomically(directory, { [MODEL_FILE]: toJson(json), [WEIGHTS_FILE]: weights });
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
    },
    async load() {
      const text = await readFile(join(directory, MODEL_FILE), 'utf8');
      const json = JSON.parse(text) as tf.io.ModelJSON;
      // tfjs would take one without for a network to begin with, and give it random weights.
      if (!json.weightsManifest) throw new Error(`Its ${MODEL_FILE} names no weight files (no 'weightsManifest').`);
      return tf.io.getModelArtifactsForJSON(json, async (manifest) => {
        const parts = await Promise.all(
          manifest.flatMap(({ paths }) => paths).map((path) => readFile(join(directory, insideFolder(path)))),
        );
        const specs = manifest.flatMap(({ weights }) => weights);
        const data = Buffer.concat(parts);
        checkLength(data.length, specs);
        return [specs, data.buffer.slice(data.byteOffset, data.byteOffset + data.length) as ArrayBuffer];
      });
    },
  };
}

/** A model from elsewhere must not name files that are none of its own. */
function insideFolder(path: string): string {
  if (isAbsolute(path) || path.split(/[\\/]/).includes('..')) {
    throw new Error(`Its ${MODEL_FILE} names the weight file '${path}'; expected one inside the model's folder.`);
  }
  return path;
}

function checkLength(bytes: number, specs: readonly tf.io.WeightsManifestEntry[]): void {
  if (specs.some(({ quantization, dtype }) => quantization || dtype === 'string')) return;
  const expected = specs.reduce((sum, { shape, dtype }) => {
    const bytesOfValue = dtype === 'bool' ? 1 : dtype === 'complex64' ? 8 : 4;
    return sum + bytesOfValue * shape.reduce((product, size) => product * size, 1);
  }, 0);
  if (bytes !== expected) {
    throw new Error(`Its weights should have ${expected} bytes, but the file has ${bytes}. Is it cut short?`);
  }
}
