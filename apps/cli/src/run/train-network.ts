import { type BatchSource, NonFiniteLossError, type TrainingEvent, type TrainingOptions, train } from '@secateur/core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { trainingProgress } from '../terminal/training-progress.ts';
import type { RunContext } from './context.ts';

export const LAST_GOOD = 'checkpoints/last-good';

/**
 * Trains in place, showing and recording every step.
 *
 * @throws Error when the loss is not finite any more; the last good weights are then in checkpoints/last-good.
 */
export async function trainNetwork(
  model: LayersModel,
  source: BatchSource,
  options: TrainingOptions,
  { directory, forecast, terminal }: RunContext,
): Promise<void> {
  const show = trainingProgress(terminal, {
    label: 'train',
    epochs: options.epochs,
    secondsLeft: forecast && (() => forecast.secondsLeft()),
  });
  try {
    for await (const event of train(model, source, options)) {
      forecast?.add({ type: 'training', phase: 'train', event });
      recordTraining(event, { phase: 'train' }, { directory, forecast });
      show(event);
    }
  } catch (error) {
    if (!(error instanceof NonFiniteLossError)) throw error;
    throw stoppedTraining(error, await directory.saveModel(LAST_GOOD, model));
  }
}

/** A line of events.jsonl; that of an epoch tells how long the whole run still takes, where that is known. */
export function recordTraining(
  event: TrainingEvent,
  where: { readonly phase: string; readonly iteration?: number },
  { directory, forecast }: Pick<RunContext, 'directory' | 'forecast'>,
): void {
  const secondsLeft = event.type === 'epoch' ? forecast?.secondsLeft() : undefined;
  directory.event({ ...event, type: event.type, ...where, ...(secondsLeft !== undefined && { secondsLeft }) });
}

export function stoppedTraining(error: NonFiniteLossError, path: string): Error {
  return new Error(`${error.message} The last good weights are in '${path}'. A lower learning rate may help.`, {
    cause: error,
  });
}
