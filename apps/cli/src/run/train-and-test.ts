import { type Evaluation, evaluate, type TrainingOptions } from '@secateur/core';
import { continueEpochs } from '@secateur/data';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { observe } from './batch-sources.ts';
import type { RunContext } from './context.ts';
import type { Dataset } from './dataset.ts';
import { type ImageSourceOptions, openImageSources } from './image-sources.ts';
import { showPass } from './prune-and-tune.ts';
import { trainNetwork } from './train-network.ts';

export interface Trained {
  /** On the test images, before and after. */
  readonly before: Evaluation;
  readonly test: Evaluation;
}

/** Trains in place, saves model/ and tells what the training changed. */
export async function trainAndTest(
  model: LayersModel,
  dataset: Dataset,
  { images, training }: { images: ImageSourceOptions; training: TrainingOptions },
  context: RunContext,
): Promise<Trained> {
  const { directory, signal, stopwatch } = context;
  const sources = openImageSources(dataset, images);
  try {
    const testSource = observe(sources.test, { signal, onBatch: showPass(sources.test, 'test', context) });
    const measure = () => stopwatch.time('test', () => evaluate(model, testSource));
    const before = await measure();
    const source = continueEpochs(observe(sources.training, { signal }));
    await stopwatch.time('training', () => trainNetwork(model, source, training, context));
    await directory.saveModel('model', model);
    return { before, test: await measure() };
  } finally {
    await sources.close();
  }
}
