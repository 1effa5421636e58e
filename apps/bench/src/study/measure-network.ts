import { type BatchSource, countCost, evaluate } from '@secateur/core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Accuracy, Size } from '../network-study/recipe.ts';

export async function measureAccuracy(
  model: LayersModel,
  images: { readonly validation: BatchSource; readonly test: BatchSource },
): Promise<Accuracy> {
  const validation = await evaluate(model, images.validation);
  const test = await evaluate(model, images.test);
  const shares = test.classes.filter(({ images }) => images > 0).map(({ correct, images }) => correct / images);
  return { validation: validation.accuracy, test: test.accuracy, worstClass: Math.min(...shares) };
}

export function sizeOf(model: LayersModel): Size {
  const { macs, parameters, layers } = countCost(model);
  const convolutions = layers.filter(({ className }) => className === 'Conv2D');
  return { macs, parameters, filters: convolutions.map(({ outputShape }) => outputShape.at(-1)!) };
}
