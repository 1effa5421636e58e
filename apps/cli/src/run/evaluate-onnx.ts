import type { BatchSource, Evaluation } from '@secateur/core';
import { type OnnxClassifier, openClassifier } from '@secateur/export';
import type { Dataset } from './dataset.ts';
import { withClassesOf } from './model-data.ts';
import { readMetadata, statisticsOf } from './onnx-model.ts';

export interface OnnxWithData {
  readonly classifier: OnnxClassifier;
  /** Standardised as the file takes images, and only of the classes that it knows. */
  readonly dataset: Dataset;
}

/**
 * Opens an ONNX file for the images of a data set. A file that takes pixels gets pixels; one that states how they are standardised, as
 * secateur's do, gets them so; others what is usual for the data set, with a warning.
 *
 * @param warn Takes what the user should know about the comparison.
 * @throws Error as `openClassifier` does.
 */
export async function openOnnxFor(path: string, whole: Dataset, warn: (note: string) => void): Promise<OnnxWithData> {
  const metadata = await readMetadata(path);
  const dataset = metadata.classNames ? withClassesOf(whole, metadata.classNames) : whole;
  const { shape: imageShape, classNames } = dataset.test;
  const classifier = await openClassifier(path, { imageShape, classes: classNames.length });
  if (classifier.takes === 'pixels')
    return { classifier, dataset: { ...dataset, statistics: asPixels(imageShape[2]) } };
  const stated = whole.folder?.hasOwnStatistics ? dataset.statistics : statisticsOf(metadata);
  if (!stated) {
    warn(
      `'${path}' does not say how its pixels are standardised: it gets the mean and standard deviation of ${dataset.name}.`,
    );
  }
  return { classifier, dataset: { ...dataset, statistics: stated ?? dataset.statistics } };
}

/** Data sets scale pixels to 0 to 1 before they standardise them. */
function asPixels(channels: number): Dataset['statistics'] {
  return { mean: Array<number>(channels).fill(0), std: Array<number>(channels).fill(1 / 255) };
}

/** Classifies every image of the source, which gives them as the classifier takes them, once. */
export async function evaluateOnnx(classifier: OnnxClassifier, source: BatchSource): Promise<Evaluation> {
  const { classNames } = source;
  const confusion = classNames.map(() => classNames.map(() => 0));
  let loss = 0;
  for await (const { images, labels } of source.batches(0)) {
    const logits = await classifier.classify(images);
    labels.forEach((label, image) => {
      const row = logits.subarray(image * classNames.length, (image + 1) * classNames.length);
      const best = Math.max(...row);
      loss += best + Math.log(row.reduce((sum, value) => sum + Math.exp(value - best), 0)) - row[label]!;
      confusion[label]![row.indexOf(best)]!++;
    });
  }
  const classes = classNames.map((className, label) => ({
    className,
    correct: confusion[label]![label]!,
    images: confusion[label]!.reduce((sum, value) => sum + value, 0),
  }));
  const correct = classes.reduce((sum, entry) => sum + entry.correct, 0);
  return { images: source.size, accuracy: correct / source.size, loss: loss / source.size, classes, confusion };
}
