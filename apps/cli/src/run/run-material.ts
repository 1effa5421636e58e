import { exportOnnx, verify } from '@secateur/export';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Dataset } from './dataset.ts';
import { type ImageSources, openImageSources } from './image-sources.ts';
import { layersWithFilters } from './layer-filters.ts';
import { trainingDataFor } from './model-data.ts';
import { attachTrainingData } from './model-folder.ts';
import { buildNetwork } from './networks.ts';
import type { RunConfig } from './run-config.ts';
import { datasetOf, specialistOf } from './specialist.ts';

/** What a run works on. */
export interface RunMaterial {
  readonly dataset: Dataset;
  readonly images: ImageSources;
  /** The classes that are kept, and their images: all of them, except in runs that make a specialist. */
  readonly kept: Dataset;
  readonly keptImages: ImageSources;
  /** With random weights, or the user's own trained network. */
  readonly network: LayersModel;
}

/**
 * Brings together what a run works on, and tries what comes only after its training: nobody wants to learn then that a class or a layer is
 * misspelt, that there are too few images to score by, or that a network cannot become an ONNX file, or onnxruntime not run it.
 *
 * @param given The user's own trained network, to be pruned in place of one that is built and trained.
 * @throws Error saying what does not fit.
 */
export async function gatherMaterial(
  config: RunConfig,
  { dataset, given }: { readonly dataset: Dataset; readonly given: LayersModel | undefined },
): Promise<RunMaterial> {
  const { classes } = config;
  const kept = classes ? datasetOf(dataset, classes) : dataset;
  const images = openImageSources(dataset, config);
  const keptImages = classes ? openImageSources(kept, config) : images;
  const network = given ?? networkFor(config, dataset);
  attachTrainingData(network, trainingDataFor(dataset));
  const unpruned = classes ? await specialistOf(network, { classes, ...trainingDataFor(dataset) }) : network;
  try {
    layersWithFilters(unpruned, config.graph);
    const shape = [1, ...kept.train.shape];
    const blank = { images: new Float32Array(shape.reduce((values, side) => values * side)), shape };
    await verify(unpruned, await exportOnnx(unpruned), blank);
  } finally {
    if (unpruned !== network) unpruned.dispose();
  }
  return { dataset, images, kept, keptImages, network };
}

function networkFor({ network, width, seed }: RunConfig, { train }: Dataset): LayersModel {
  return buildNetwork(network, { classes: train.classNames.length, width, inputShape: train.shape, seed });
}
