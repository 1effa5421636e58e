import { createHash } from 'node:crypto';
import type { NamedValues } from '@secateur/core';
import { CheckpointStore, type StateIdentity, type UnusableCheckpoint } from './checkpoint-store.ts';
import type { Dataset } from './dataset.ts';
import type { RunDirectory } from './run-directory.ts';
import type { Stopwatch } from './stopwatch.ts';

/** What a checkpoint holds beside the work itself: all that the rest of it depends on, besides its configuration and its images. */
export interface Bookkeeping {
  /** Wall time of the parts, and milliseconds since the start. */
  readonly seconds: Readonly<Record<string, number>>;
  readonly elapsed: number;
  /** Bytes of events.jsonl; later lines tell of what will be done again. */
  readonly events: number;
}

export type Checkpoints<Work> = CheckpointStore<Work & Bookkeeping>;

export interface CheckpointRhythm {
  /** A checkpoint at least that often in trainings; null leaves it to the other. One is written at each phase anyway. */
  readonly everySteps: number | null;
  readonly everyMinutes: number | null;
}

export interface WriterSurroundings {
  readonly directory: RunDirectory;
  readonly stopwatch: Stopwatch;
  readonly signal: AbortSignal;
  readonly rhythm: CheckpointRhythm;
}

/** What must be the same for going on to make sense. */
export interface WorkIdentity {
  readonly configuration: unknown;
  readonly dataset: Dataset;
  /** Weights of the network that the work began with, where they are no consequence of the configuration. */
  readonly network?: NamedValues;
}

/** The checkpoints in a run's folder. */
export function openCheckpoints<Work>(directory: RunDirectory, identity: WorkIdentity): Promise<Checkpoints<Work>> {
  return CheckpointStore.open(directory.file('checkpoints'), { identity: digestsOf(identity) });
}

/** Writes the checkpoints of a piece of work when they are due. */
export class CheckpointWriter<Work> {
  readonly #store: Checkpoints<Work>;
  readonly #run: WriterSurroundings;
  #steps = 0;
  #written = performance.now();

  constructor(store: Checkpoints<Work>, run: WriterSurroundings) {
    this.#store = store;
    this.#run = run;
  }

  /**
   * To be called wherever the work could be taken up again.
   *
   * @throws Error when a checkpoint cannot be written, or the reason of the signal once it is aborted: by then the state is
   *   on disk.
   */
  async offer(capture: () => Work, moment: 'phase' | 'step'): Promise<void> {
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

  /** For work that is complete. */
  async clear(): Promise<void> {
    await this.#store.clear();
  }

  async #write(work: Work): Promise<void> {
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

function digestsOf({ configuration, dataset, network }: WorkIdentity): StateIdentity {
  const { name, train, validation, test, statistics } = dataset;
  const images = [train, ...(validation ? [validation] : []), test].flatMap(({ images, labels, classNames }) => [
    images,
    new Uint8Array(labels.buffer, labels.byteOffset, labels.byteLength),
    Buffer.from(JSON.stringify([name, classNames, statistics])),
  ]);
  return {
    configuration: digest([Buffer.from(JSON.stringify(configuration))]),
    'set of images': digest(images),
    ...(network && {
      network: digest(network.flatMap(({ values, ...facts }) => [Buffer.from(JSON.stringify(facts)), bytesOf(values)])),
    }),
  };
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function digest(parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}
