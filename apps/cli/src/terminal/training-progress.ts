import type { TrainingEvent } from '@secateur/core';
import { bar, duration, percent, whole } from './format.ts';
import type { Terminal } from './terminal.ts';
import { TrainingPace } from './training-pace.ts';

export interface ProgressOptions {
  readonly label: string;
  readonly epochs: number;
  /** Seconds until all is done of which this training is a part; asked after each step. */
  readonly secondsLeft?: (() => number | undefined) | undefined;
}

/** Shows the events of one training: a bar while it goes, and a line for each epoch. */
export function trainingProgress(
  terminal: Terminal,
  { label, epochs, secondsLeft }: ProgressOptions,
): (event: TrainingEvent) => void {
  const { dim, cyan } = terminal.colors;
  let epochStarted = performance.now();
  const pace = new TrainingPace();
  let left = '';
  let seen = emptyTotals();
  return (event) => {
    const now = performance.now();
    const rate = (images: number, since: number) => `${whole((1000 * images) / (now - since))} images/s`;
    const head = (epoch: number) => `  ${label}, epoch ${epoch + 1}/${epochs}`;
    if (event.type === 'epoch') {
      const time = duration((now - epochStarted) / 1000);
      terminal.line(
        `${head(event.epoch)}  ${facts(event.crossEntropy, event.accuracy)}  ${dim(`${rate(seen.images, epochStarted)}  ${time}${left}`)}`,
      );
      seen = emptyTotals();
      epochStarted = now;
      return;
    }
    pace.add(event);
    left = describeLeft(secondsLeft?.(), pace.secondsLeft(event));
    seen.images += event.images;
    seen.correct += event.correct;
    seen.crossEntropy += event.crossEntropy * event.images;
    // What matters most comes first: a narrow terminal cuts off the rest.
    terminal.progress(
      () =>
        `${head(event.epoch)}  ${cyan(bar((event.step + 1) / event.steps, BAR))}${left}  ${facts(seen.crossEntropy / seen.images, seen.correct / seen.images)}  ${dim(rate(seen.images, epochStarted))}`,
    );
  };
}

const BAR = 10;

function describeLeft(inAll: number | undefined, here: number | undefined): string {
  if (inAll !== undefined) return `  ${duration(inAll)} left in all`;
  return here ? `  ${duration(here)} left` : '';
}

function emptyTotals() {
  return { images: 0, correct: 0, crossEntropy: 0 };
}

function facts(crossEntropy: number, accuracy: number): string {
  return `loss ${crossEntropy.toFixed(3)}  accuracy ${percent(accuracy).padStart(6)}`;
}
