import { type BatchSource, NonFiniteLossError, type TrainingOptions, train } from '@secateur/core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { trainingProgress } from '../terminal/training-progress.ts';
import type { RunContext } from './context.ts';

export const LAST_GOOD = 'checkpoints/last-good';

/**
 * Trains in place, showing and recording every step.
 *
 * @throws Error when the loss is not finite any more, or the signal is aborted. The last good weights are then in
 *   checkpoints/last-good; not so after an abort where checkpoints are written, which hold more.
 */
export async function trainNetwork(
  model: LayersModel,
  source: BatchSource,
  options: TrainingOptions,
  { directory, terminal }: RunContext,
): Promise<void> {
  const show = trainingProgress(terminal, { label: 'train', epochs: options.epochs });
  try {
    for await (const event of train(model, source, options)) {
      directory.event({ ...event, type: event.type, phase: 'train' });
      show(event);
    }
  } catch (error) {
    if (options.checkpoint && !(error instanceof NonFiniteLossError)) throw error;
    const path = await directory.saveModel(LAST_GOOD, model);
    throw error instanceof NonFiniteLossError ? stoppedTraining(error, path) : error;
  }
}

export function stoppedTraining(error: NonFiniteLossError, path: string): Error {
  return new Error(`${error.message} The last good weights are in '${path}'.`, { cause: error });
}
