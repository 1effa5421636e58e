import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Batch, BatchSource } from '../data.ts';

/** @throws Error when the model has not one logit for each of the data's classes. */
export function requireClasses(model: LayersModel, { classNames }: BatchSource): void {
  const logits = (model.outputShape as (number | null)[]).at(-1);
  if (logits === classNames.length) return;
  throw new Error(
    `Expected a model with one logit for each of the data's ${classNames.length} classes, but '${model.name}' has ${logits}.`,
  );
}

/** @throws Error naming the first label that is no class. */
export function requireLabels({ labels }: Batch, { classNames }: BatchSource): void {
  const wrong = labels.findIndex((label) => !(label >= 0 && label < classNames.length));
  if (wrong < 0) return;
  throw new Error(
    `Expected labels from 0 to ${classNames.length - 1}, one for each of the data's ${classNames.length} classes, but label ${wrong} of a batch is ${labels[wrong]}.`,
  );
}
