import type { ChannelStatistics } from '@secateur/data';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Dataset } from './dataset.ts';
import { attachTrainingData, trainingDataOf } from './model-folder.ts';

/** The data set standardised as the model is used to; a model that does not say gets the data set's own statistics. */
export function adaptDataset(dataset: Dataset, model: LayersModel): Dataset {
  const { classNames, shape } = dataset.train;
  const inputs = model.inputs[0]!.shape.slice(1);
  const classes = model.outputs[0]!.shape.at(-1);
  if (String(inputs) !== String(shape) || classes !== classNames.length) {
    throw new Error(
      `The model takes images of ${inputs.join(' x ')} and knows ${classes} classes, but ${dataset.name} has images of ${shape.join(' x ')} and ${classNames.length} classes. Name fitting images with --data.`,
    );
  }
  const trainedOn = trainingDataOf(model);
  if (!trainedOn) attachTrainingData(model, { classNames, ...dataset.statistics });
  const statistics: ChannelStatistics = trainedOn ?? dataset.statistics;
  return { ...dataset, statistics: { mean: statistics.mean, std: statistics.std } };
}
