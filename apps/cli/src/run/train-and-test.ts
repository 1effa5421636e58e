import { type Evaluation, evaluate, type TrainingOptions, type TrainingState } from '@secateur/core';
import { continueEpochs } from '@secateur/data';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { observe } from './batch-sources.ts';
import type { CheckpointWriter } from './checkpoints.ts';
import type { RunContext } from './context.ts';
import type { ImageSources } from './image-sources.ts';
import { showPass } from './prune-and-tune.ts';
import { trainNetwork } from './train-network.ts';

export interface Trained {
  /** On the test images, before and after. */
  readonly before: Evaluation;
  readonly test: Evaluation;
}

/** Where one training is, and what was found before it. */
export interface TrainingWork {
  readonly epoch: number;
  readonly before: Evaluation;
  readonly training: TrainingState;
}

export interface TrainingMaterial {
  /** Closed at the end. */
  readonly sources: ImageSources;
  readonly training: TrainingOptions;
  readonly checkpoints: CheckpointWriter<TrainingWork>;
  /** What to go on from. */
  readonly resume?: TrainingWork;
}

/** Trains in place, saves model/ and tells what the training changed. */
export async function trainAndTest(
  model: LayersModel,
  { sources, training, checkpoints, resume }: TrainingMaterial,
  context: RunContext,
): Promise<Trained> {
  const { directory, signal, stopwatch } = context;
  try {
    const testSource = observe(sources.test, { signal, onBatch: showPass(sources.test, 'test', context) });
    const measure = () => stopwatch.time('test', () => evaluate(model, testSource));
    const before = resume?.before ?? (await measure());
    const source = continueEpochs(observe(sources.training, { signal }), { epoch: resume?.epoch ?? 0 });
    const progress: Pick<TrainingOptions, 'checkpoint' | 'resume'> = {
      resume: resume?.training,
      checkpoint: (capture, moment) =>
        checkpoints.offer(() => ({ epoch: source.epoch, before, training: capture() }), moment),
    };
    await stopwatch.time('training', () => trainNetwork(model, source, { ...training, ...progress }, context));
    await directory.saveModel('model', model);
    return { before, test: await measure() };
  } finally {
    await sources.close();
  }
}

/** In words. */
export function describePlace({ epoch, step }: TrainingState): string {
  return `epoch ${epoch + 1}, step ${step + 1}`;
}
