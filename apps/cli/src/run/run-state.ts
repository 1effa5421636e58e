import { createHash } from 'node:crypto';
import type { NamedValues, PruningState, TrainingState } from '@secateur/core';
import { CheckpointStore, type StateIdentity, type UnusableCheckpoint } from './checkpoint-store.ts';
import type { Dataset } from './dataset.ts';
import type { RunConfig } from './run-config.ts';
import type { RunDirectory } from './run-directory.ts';
import type { Stopwatch } from './stopwatch.ts';
import type { IterationReport } from './summary.ts';

/** Where the work is. While the first training lasts there is nothing but its state. */
export interface WorkState {
  /** The epoch of the training images that is under way, or the next one. */
  readonly epoch: number;
  readonly training?: TrainingState;
  /** Weights of the trained network, before any class or filter goes. */
  readonly trained?: NamedValues;
  readonly pruning?: PruningState;
  readonly iterations?: readonly IterationReport[];
}

/** What a checkpoint holds: all that the rest of a run depends on, besides its configuration and its images. */
export interface RunState extends WorkState {
  /** Wall time of the parts, and milliseconds since the start. */
  readonly seconds: Readonly<Record<string, number>>;
  readonly elapsed: number;
  /** Bytes of events.jsonl; later lines tell of what will be done again. */
  readonly events: number;
}

export interface CheckpointRhythm {
  /** A checkpoint at least that often in trainings; null leaves it to the other. One is written at each phase anyway. */
  readonly everySteps: number | null;
  readonly everyMinutes: number | null;
}

export interface RunSurroundings {
  readonly directory: RunDirectory;
  readonly stopwatch: Stopwatch;
  readonly signal: AbortSignal;
  readonly rhythm: CheckpointRhythm;
}

/** The checkpoints of a run in its folder. */
export function openCheckpoints(
  directory: RunDirectory,
  { config, dataset }: { readonly config: RunConfig; readonly dataset: Dataset },
): Promise<CheckpointStore<RunState>> {
  return CheckpointStore.open(directory.file('checkpoints'), { identity: identityOf(config, dataset) });
}

/** Writes the checkpoints of a run when they are due. */
export class CheckpointWriter {
  readonly #store: CheckpointStore<RunState>;
  readonly #run: RunSurroundings;
  #steps = 0;
  #written = performance.now();

  constructor(store: CheckpointStore<RunState>, run: RunSurroundings) {
    this.#store = store;
    this.#run = run;
  }

  /**
   * To be called wherever the work could be taken up again.
   *
   * @throws Error when a checkpoint cannot be written, or the reason of the signal once it is aborted: by then the state is
   *   on disk.
   */
  async offer(capture: () => WorkState, moment: 'phase' | 'step'): Promise<void> {
    const { rhythm, signal } = this.#run;
    if (moment === 'step') this.#steps++;
    const minutes = (performance.now() - this.#written) / 60_000;
    const isDue =
      moment === 'phase' ||
      signal.aborted ||
      (rhythm.everySteps !== null && this.#steps >= rhythm.everySteps) ||
      (rhythm.everyMinutes !== null && minutes >= rhythm.everyMinutes);
    if (!isDue) return;
    await this.#write(capture());
    signal.throwIfAborted();
  }

  /** For a run that is complete. */
  async clear(): Promise<void> {
    await this.#store.clear();
  }

  async #write(work: WorkState): Promise<void> {
    const { directory, stopwatch } = this.#run;
    try {
      const events = directory.syncEvents();
      await this.#store.write({ ...work, seconds: stopwatch.seconds, elapsed: directory.elapsed, events });
    } catch (cause) {
      throw new Error(`A checkpoint cannot be written (${(cause as Error).message})`, { cause });
    }
    this.#steps = 0;
    this.#written = performance.now();
  }
}

/** One line for each file that was passed over. */
export function describeUnusable({ file, reason }: UnusableCheckpoint): string {
  return `the checkpoint '${file}' ${reason}; it is left as it is, and an older one is used.`;
}

/** How often checkpoints are written changes no result. */
function identityOf({ checkpoints: _, ...config }: RunConfig, { name, train, test }: Dataset): StateIdentity {
  const images = [train, test].flatMap(({ images, labels, classNames }) => [
    images,
    new Uint8Array(labels.buffer, labels.byteOffset, labels.byteLength),
    Buffer.from(JSON.stringify([name, classNames])),
  ]);
  return { configuration: digest([Buffer.from(JSON.stringify(config))]), 'set of images': digest(images) };
}

function digest(parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}
