import { readFile } from 'node:fs/promises';
import { importOnnx, type OnnxMetadata, readOnnxMetadata } from '@secateur/export';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type FolderForm, folderFormSchema, type NetworkImages } from './image-folder.ts';
import { attachTrainingData } from './model-folder.ts';

export function isOnnxFile(path: string): boolean {
  return path.endsWith('.onnx');
}

/**
 * Reads a network from an ONNX file, up to its logits, with what the file says about the images that it was trained on.
 *
 * @param warn Takes what the user should know about the network.
 * @throws Error as `importOnnx` does.
 */
export async function loadOnnxModel(path: string, warn: (note: string) => void): Promise<LayersModel> {
  const { model, metadata, notes } = await importOnnx(path, { logits: true });
  attachStatistics(model, metadata);
  const [first, ...others] = notes;
  if (first) warn(others.length > 0 ? `${first} (and ${others.length} more like it)` : first);
  return model;
}

/** The file scales pixels by a factor of its own; statistics are of pixels from 0 to 1. */
function attachStatistics(model: LayersModel, metadata: OnnxMetadata): void {
  const { classNames, mean, std, inputScale = 1 / 255 } = metadata;
  const [channels, classes] = [model.inputs[0]!.shape.at(-1), model.outputs[0]!.shape.at(-1)];
  if (classNames?.length !== classes || mean?.length !== channels || std?.length !== channels) return;
  const rescale = (values: readonly number[]) => values.map((value) => value / (inputScale * 255));
  const folderForm = folderFormOf(metadata);
  attachTrainingData(model, { classNames: classNames!, mean: rescale(mean!), std: rescale(std!), folderForm });
}

/** How a folder of images was read for the network of an ONNX file that secateur wrote. */
export function folderFormOf({ properties }: Pick<OnnxMetadata, 'properties'>): FolderForm | undefined {
  try {
    return folderFormSchema.safeParse(JSON.parse(properties.secateur ?? '{}').folderForm).data;
  } catch {
    // Somebody else's entry of that name.
    return undefined;
  }
}

/** The images that the network of an ONNX file takes. */
export async function imagesOfOnnx(path: string): Promise<NetworkImages> {
  const metadata = readOnnxMetadata(await readFile(path));
  const size = (dimension: number | string | undefined) => (typeof dimension === 'number' ? dimension : null);
  const { dims, type } = metadata.input;
  // Pixels lie channels last; secateur's files that take standardised images may do so too.
  const last = type === 'uint8' || metadata.properties.input_layout === 'NHWC';
  const [height, width, channels] = (last ? [1, 2, 3] : [2, 3, 1]).map((axis) => size(dims[axis]));
  return { height: height!, width: width!, channels: channels!, folderForm: folderFormOf(metadata) };
}
