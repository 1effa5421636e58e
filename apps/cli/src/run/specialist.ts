import { keepClasses } from '@secateur/core';
import { selectClasses } from '@secateur/data';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Dataset } from './dataset.ts';
import { attachTrainingData, type TrainingData } from './model-folder.ts';

/** The images of these classes alone, with labels counted anew in the order of all classes. */
export function datasetOf(dataset: Dataset, classes: readonly string[]): Dataset {
  const [train, test] = [dataset.train, dataset.test].map((images) => selectClasses(images, classes));
  const validation = dataset.validation && selectClasses(dataset.validation, classes);
  return {
    ...dataset,
    name: `${dataset.name} (${train!.classNames.join(', ')})`,
    train: train!,
    test: test!,
    ...(validation && { validation }),
  };
}

/** The network without the outputs of all other classes; `classNames` are those that it has. */
export async function specialistOf(
  model: LayersModel,
  { classes, classNames, mean, std, folderForm }: { readonly classes: readonly string[] } & TrainingData,
): Promise<LayersModel> {
  const specialist = await keepClasses(model, { classes, classNames });
  attachTrainingData(specialist, {
    classNames: classNames.filter((name) => classes.includes(name)),
    mean,
    std,
    folderForm,
  });
  return specialist;
}
