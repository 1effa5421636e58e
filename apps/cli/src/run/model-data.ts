import { CIFAR10_CLASSES, type LabelledImages } from '@secateur/data';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Dataset } from './dataset.ts';
import { attachTrainingData, type TrainingData, trainingDataOf } from './model-folder.ts';
import { datasetOf } from './specialist.ts';

/** Whether a network says that it knows classes of CIFAR-10, in its images. */
export function isOfCifar10(model: LayersModel): boolean {
  const shapes = model.inputs.map(({ shape }) => shape.slice(1));
  const { classNames } = trainingDataOf(model) ?? {};
  return shapes.join(';') === '32,32,3' && (classNames?.every((name) => CIFAR10_CLASSES.includes(name)) ?? false);
}

/** What a network that is trained on these images remembers of them. */
export function trainingDataFor({ train, statistics, folder }: Dataset): TrainingData {
  return { classNames: train.classNames, mean: statistics.mean, std: statistics.std, folderForm: folder?.form };
}

/**
 * The data set standardised as the model is used to, with labels in its order, and without the classes that a specialist does not know; a model
 * that does not say gets the data set's own statistics, and so does one whose user has given some.
 */
export function adaptDataset(whole: Dataset, model: LayersModel): Dataset {
  const trainedOn = trainingDataOf(model);
  const dataset = trainedOn ? withClassesOf(whole, trainedOn.classNames) : whole;
  const { classNames, shape } = dataset.train;
  const inputs = model.inputs[0]!.shape.slice(1);
  const classes = model.outputs[0]!.shape.at(-1);
  if (String(inputs) !== String(shape) || classes !== classNames.length) {
    const remedy = dataset.folder
      ? 'Give it a folder with as many classes, and leave out --image-size'
      : 'Name fitting images with --data';
    throw new Error(
      `The model takes images of ${inputs.map((size) => size ?? 'any').join(' x ')} and knows ${classes} classes, but ${dataset.name} has images of ${shape.join(' x ')} and ${classNames.length} classes. ${remedy}.`,
    );
  }
  const known = dataset.folder?.hasOwnStatistics ? undefined : trainedOn;
  const { mean, std } = known ?? dataset.statistics;
  const adapted = { ...dataset, statistics: { mean, std } };
  if (!trainedOn || dataset.folder) attachTrainingData(model, trainingDataFor(adapted));
  return adapted;
}

/** With the classes in that order. Names that are others mean other classes, in a folder that the user has named them in. */
function labelledAs(dataset: Dataset, classNames: readonly string[]): Dataset {
  const { classNames: found } = dataset.train;
  if (found.length !== classNames.length) return dataset;
  const stranger = found.find((name) => !classNames.includes(name));
  if (stranger !== undefined) {
    if (!dataset.folder) return dataset;
    throw new Error(
      `The model knows the classes ${classNames.join(', ')}, but ${dataset.name} has '${stranger}'. Name its folders as the model's classes.`,
    );
  }
  if (found.every((name, label) => name === classNames[label])) return dataset;
  const newLabel = found.map((name) => classNames.indexOf(name));
  const relabel = (data: LabelledImages): LabelledImages => ({
    ...data,
    classNames,
    labels: data.labels.map((label) => newLabel[label]!),
  });
  const { train, test, validation } = dataset;
  return {
    ...dataset,
    train: relabel(train),
    test: relabel(test),
    ...(validation && { validation: relabel(validation) }),
  };
}

/** The images of a specialist's classes, or all of them, labelled in that order; as they are for a network that was made for other data. */
export function withClassesOf(dataset: Dataset, classNames: readonly string[]): Dataset {
  const known = dataset.train.classNames;
  const isSpecialist = classNames.length < known.length && classNames.every((name) => known.includes(name));
  return labelledAs(isSpecialist ? datasetOf(dataset, classNames) : dataset, classNames);
}
