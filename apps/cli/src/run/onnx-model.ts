import { importOnnx, type OnnxMetadata } from '@secateur/export';
import type { LayersModel } from '@tensorflow/tfjs-layers';
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
function attachStatistics(model: LayersModel, { classNames, mean, std, inputScale = 1 / 255 }: OnnxMetadata): void {
  const [channels, classes] = [model.inputs[0]!.shape.at(-1), model.outputs[0]!.shape.at(-1)];
  if (classNames?.length !== classes || mean?.length !== channels || std?.length !== channels) return;
  const rescale = (values: readonly number[]) => values.map((value) => value / (inputScale * 255));
  attachTrainingData(model, { classNames: classNames!, mean: rescale(mean!), std: rescale(std!) });
}
