import type { ChannelStatistics } from '@secateur/data';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Dataset } from './dataset.ts';
import { attachTrainingData, trainingDataOf } from './model-folder.ts';
import { datasetOf } from './specialist.ts';

/**
 * The data set standardised as the model is used to, and without the classes that a specialist does not know; a model that does not say gets
 * the data set's own statistics.
 */
export function adaptDataset(whole: Dataset, model: LayersModel): Dataset {
  const trainedOn = trainingDataOf(model);
  const dataset = trainedOn ? withClassesOf(whole, trainedOn.classNames) : whole;
  const { classNames, shape } = dataset.train;
  const inputs = model.inputs[0]!.shape.slice(1);
  const classes = model.outputs[0]!.shape.at(-1);
  if (String(inputs) !== String(shape) || classes !== classNames.length) {
    throw new Error(
      `The model takes images of ${inputs.join(' x ')} and knows ${classes} classes, but ${dataset.name} has images of ${shape.join(' x ')} and ${classNames.length} classes. Name fitting images with --data.`,
    );
  }
  if (!trainedOn) attachTrainingData(model, { classNames, ...dataset.statistics });
  const statistics: ChannelStatistics = trainedOn ?? dataset.statistics;
  return { ...dataset, statistics: { mean: statistics.mean, std: statistics.std } };
}

/** The images of a specialist's classes; all where it is none, or was made for other data. */
export function withClassesOf(dataset: Dataset, classNames: readonly string[]): Dataset {
  const known = dataset.train.classNames;
  const isSpecialist = classNames.length < known.length && classNames.every((name) => known.includes(name));
  return isSpecialist ? datasetOf(dataset, classNames) : dataset;
}
