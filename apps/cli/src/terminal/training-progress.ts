import type { TrainingEvent } from '@secateur/core';
import { bar, duration, percent, whole } from './format.ts';
import type { Terminal } from './terminal.ts';

/** Shows the events of one training: a bar while it goes, and a line for each epoch. */
export function trainingProgress(
  terminal: Terminal,
  { label, epochs }: { label: string; epochs: number },
): (event: TrainingEvent) => void {
  const { dim, cyan } = terminal.colors;
  let epochStarted = performance.now();
  /** The first step seen: it takes longer than the others, and may be far from the first of a training that was resumed. */
  let first: { readonly step: number; readonly end: number } | undefined;
  let seen = emptyTotals();
  return (event) => {
    const now = performance.now();
    const rate = (images: number, since: number) => `${whole((1000 * images) / (now - since))} images/s`;
    const head = (epoch: number) => `  ${label}, epoch ${epoch + 1}/${epochs}`;
    if (event.type === 'epoch') {
      const time = duration((now - epochStarted) / 1000);
      terminal.line(
        `${head(event.epoch)}  ${facts(event.crossEntropy, event.accuracy)}  ${dim(`${rate(seen.images, epochStarted)}  ${time}`)}`,
      );
      seen = emptyTotals();
      epochStarted = now;
      return;
    }
    first ??= { step: event.step, end: now };
    const { step, end } = first;
    seen.images += event.images;
    seen.correct += event.correct;
    seen.crossEntropy += event.crossEntropy * event.images;
    terminal.progress(() => {
      const done = event.step + 1;
      const left =
        event.step > step
          ? `  ${duration(((now - end) / 1000 / (event.step - step)) * (event.steps - done))} left`
          : '';
      return `${head(event.epoch)}  ${cyan(bar(done / event.steps))}  ${facts(seen.crossEntropy / seen.images, seen.correct / seen.images)}  ${dim(`${rate(seen.images, epochStarted)}${left}`)}`;
    });
  };
}

function emptyTotals() {
  return { images: 0, correct: 0, crossEntropy: 0 };
}

function facts(crossEntropy: number, accuracy: number): string {
  return `loss ${crossEntropy.toFixed(3)}  accuracy ${percent(accuracy).padStart(6)}`;
}
