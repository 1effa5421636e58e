import { readFile } from 'node:fs/promises';
import type { ChannelStatistics } from '@secateur/data';
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

function attachStatistics(model: LayersModel, metadata: OnnxMetadata): void {
  const { classNames } = metadata;
  const statistics = statisticsOf(metadata);
  const [channels, classes] = [model.inputs[0]!.shape.at(-1), model.outputs[0]!.shape.at(-1)];
  if (classNames?.length !== classes || statistics?.mean.length !== channels) return;
  attachTrainingData(model, { classNames: classNames!, ...statistics!, folderForm: folderFormOf(metadata) });
}

/** How the file says that its images are standardised. It scales pixels by a factor of its own; statistics are of pixels from 0 to 1. */
export function statisticsOf({ mean, std, inputScale = 1 / 255 }: OnnxMetadata): ChannelStatistics | undefined {
  if (!mean || mean.length !== std?.length) return undefined;
  const rescale = (values: readonly number[]) => values.map((value) => value / (inputScale * 255));
  return { mean: rescale(mean), std: rescale(std) };
}

const MOST_COLOURS = 4;

/** How a folder of images was read for the network of an ONNX file that secateur wrote. */
export function folderFormOf({ properties }: Pick<OnnxMetadata, 'properties'>): FolderForm | undefined {
  try {
    return folderFormSchema.safeParse(JSON.parse(properties.secateur ?? '{}').folderForm).data;
  } catch {
    // Somebody else's entry of that name.
    return undefined;
  }
}

/** @throws Error that names the file when it cannot be read or is not ONNX. */
export async function readMetadata(path: string): Promise<OnnxMetadata> {
  const bytes = await readFile(path).catch((cause: Error) => {
    throw new Error(`The ONNX file '${path}' could not be read: ${cause.message}`, { cause });
  });
  return readOnnxMetadata(bytes, `'${path}'`);
}

/** The images that the network of an ONNX file takes. */
export async function imagesOfOnnx(path: string): Promise<NetworkImages> {
  const metadata = await readMetadata(path);
  const size = (dimension: number | string | undefined) => (typeof dimension === 'number' ? dimension : null);
  const { dims, type } = metadata.input;
  // Pixels lie channels last; files that take standardised images may do so too, those of Keras without saying so.
  const isKeras = size(dims[1]) !== null && Number(dims[1]) > MOST_COLOURS && Number(dims[3]) <= MOST_COLOURS;
  const last = type === 'uint8' || metadata.properties.input_layout === 'NHWC' || isKeras;
  const [height, width, channels] = (last ? [1, 2, 3] : [2, 3, 1]).map((axis) => size(dims[axis]));
  return { height: height!, width: width!, channels: channels!, folderForm: folderFormOf(metadata) };
}
