import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeOutput } from '../../run/files.ts';
import { checkRun, readRunEvents } from '../read-run.ts';
import type { RecordedScores, RunEvent } from '../run-events.ts';
import { encodeEvent, fileHeader, type Histogram, type TensorBoardEvent } from './event-file.ts';

const BINS = 20;

/**
 * Writes what happened in a run as an event file of TensorBoard: losses and learning rate over the steps of the whole run,
 * means over its epochs, accuracy, cost, filters and histograms of scores over its iterations.
 *
 * @param folder TensorBoard's log directory of this run. A file that was written there of the same run before is replaced.
 * @returns Where the file is.
 * @throws Error when there is no run, or the file cannot be written.
 */
export async function writeTensorBoard(run: string, folder: string): Promise<string> {
  checkRun(run);
  const translator = new Translator();
  const records: Buffer[] = [];
  for await (const event of readRunEvents(run)) {
    for (const translated of translator.translate(event)) records.push(encodeEvent(translated));
  }
  const { startedAt } = translator;
  await mkdir(folder, { recursive: true });
  const file = join(folder, `events.out.tfevents.${Math.floor(startedAt)}.secateur`);
  await writeOutput(file, Buffer.concat([fileHeader(startedAt), ...records]));
  return file;
}

/** Counts steps, epochs and removals over the whole run, as TensorBoard has one axis for each tag. */
class Translator {
  startedAt = 0;
  #steps = 0;
  #epochs = 0;
  #removals = 0;

  translate(event: RunEvent): TensorBoardEvent[] {
    const wallTime = this.startedAt + event.seconds;
    switch (event.type) {
      case 'started':
        this.startedAt = Date.parse(event.at) / 1000;
        return [];
      case 'step': {
        const { total, crossEntropy, distillation, l1, orthogonality, learningRate } = event;
        const scalars = {
          'loss/total': total,
          'loss/cross entropy': crossEntropy,
          ...(distillation > 0 && { 'loss/distillation': distillation }),
          'loss/l1': l1,
          'loss/orthogonality': orthogonality,
          'training/learning rate': learningRate,
        };
        return [{ wallTime, step: this.#steps++, scalars }];
      }
      case 'epoch': {
        const { loss, crossEntropy, accuracy, imagesPerSecond } = event;
        const scalars = {
          'epoch/loss': loss,
          'epoch/cross entropy': crossEntropy,
          'epoch/accuracy': accuracy,
          'epoch/images per second': imagesPerSecond,
        };
        return [{ wallTime, step: this.#epochs++, scalars }];
      }
      case 'baseline':
      case 'evaluated': {
        if (event.type === 'evaluated') this.#removals++;
        const { evaluation, macs, parameters } = event;
        const scalars = {
          'validation/accuracy': evaluation.accuracy,
          ...(evaluation.loss !== undefined && { 'validation/loss': evaluation.loss }),
          'network/MACs': macs,
          'network/parameters': parameters,
        };
        return [{ wallTime, step: this.#removals, scalars }];
      }
      case 'scored': {
        const entries = <Value>(prefix: string, of: (scores: RecordedScores) => Value) =>
          Object.fromEntries(event.scores.map((scores) => [`${prefix}/${scores.layer}`, of(scores)]));
        return [
          {
            wallTime,
            step: event.iteration,
            scalars: entries('filters', ({ filters }) => filters),
            histograms: entries('scores', histogramOf),
          },
        ];
      }
      default:
        return [];
    }
  }
}

/** Whole numbers of classes have a bin each; scores without a bound have equal bins. */
function histogramOf({ numerators, denominator, classes }: RecordedScores): Histogram {
  const values = numerators.map((numerator) => numerator / denominator);
  if (classes > 0) return { values, limits: Array.from({ length: classes + 1 }, (_, score) => score + 0.5) };
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const limits = Array.from({ length: BINS - 1 }, (_, i) => low + ((i + 1) * (high - low)) / BINS);
  return { values, limits: [...limits, high] };
}
