import { Worker } from 'node:worker_threads';
import type { Recipe } from './compose.ts';
import { buffersOf, type FilledSlot, type Slot, type ToWorker } from './messages.ts';

/** The main thread's end of the worker that prepares batches, one run at a time. */
export class BatchWorkerThread {
  readonly #worker: Worker;
  #run = 0;
  #filled: FilledSlot[] = [];
  /** The slot that whoever iterates is looking at. */
  #lent: Slot | undefined;
  #waiting: { resolve: (filled: FilledSlot) => void; reject: (error: Error) => void } | undefined;
  #failure: Error | undefined;

  constructor(recipe: Recipe, script: URL = batchWorkerScript()) {
    // No inherited flags: some (--input-type, --eval's) keep a worker's file from loading.
    this.#worker = new Worker(script, { workerData: recipe, execArgv: [] });
    this.#worker.on('message', (filled: FilledSlot) => this.#accept(filled));
    this.#worker.on('error', (error) =>
      this.#fail(new Error(`The batch worker failed: ${error.message}`, { cause: error })),
    );
    this.#worker.on('messageerror', (error) => this.#fail(error));
    this.#worker.on('exit', (code) => this.#fail(new Error(`The batch worker has ended (exit code ${code}).`)));
    // Batches nobody waits for must not keep a process alive.
    this.#worker.unref();
  }

  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** Begins a run, and drops the one before. @returns its number. */
  start(epoch: number, firstBatch: number): number {
    this.#run += 1;
    this.#waiting?.reject(this.#superseded());
    this.#waiting = undefined;
    this.#takeBack();
    this.#post({ kind: 'start', run: this.#run, epoch, firstBatch });
    return this.#run;
  }

  /** The next batch of a run; the one before is taken back. @throws Error if the worker has failed, or another run has been started. */
  async next(run: number): Promise<FilledSlot> {
    if (this.#failure) throw this.#failure;
    if (run !== this.#run) throw this.#superseded();
    this.#recycle(this.#lent);
    this.#lent = undefined;
    const ready = this.#filled.shift();
    if (ready) return this.#lend(ready);
    const arrived = await this.#arrival();
    if (run !== this.#run) throw this.#superseded();
    return arrived;
  }

  /** Ends a run early, or for good; no effect if another one has been started. */
  stop(run: number): void {
    if (run !== this.#run) return;
    this.#run += 1;
    this.#takeBack();
    this.#post({ kind: 'stop' });
  }

  async close(): Promise<void> {
    this.#fail(new Error('The batch source has been closed.'));
    await this.#worker.terminate();
  }

  #accept(filled: FilledSlot): void {
    if (filled.run !== this.#run) {
      this.#recycle(filled.slot);
    } else if (this.#waiting) {
      this.#waiting.resolve(this.#lend(filled));
      this.#waiting = undefined;
    } else {
      this.#filled.push(filled);
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#waiting?.reject(this.#failure);
    this.#waiting = undefined;
  }

  async #arrival(): Promise<FilledSlot> {
    this.#worker.ref();
    try {
      return await new Promise((resolve, reject) => {
        this.#waiting = { resolve, reject };
      });
    } finally {
      if (!this.#waiting) this.#worker.unref();
    }
  }

  #lend(filled: FilledSlot): FilledSlot {
    this.#lent = filled.slot;
    return filled;
  }

  #takeBack(): void {
    this.#recycle(this.#lent);
    for (const { slot } of this.#filled) this.#recycle(slot);
    this.#lent = undefined;
    this.#filled = [];
  }

  #recycle(slot: Slot | undefined): void {
    if (slot) this.#post({ kind: 'recycle', slot }, buffersOf(slot));
  }

  #superseded(): Error {
    return new Error(
      'This epoch was cut off by a later one of the same batch source: one source gives one epoch at a time.',
    );
  }

  #post(message: ToWorker, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }
}

/** The worker's file lies beside this one, as JavaScript in the build, and as TypeScript in the source tree. */
function batchWorkerScript(): URL {
  const fromSource = new URL(import.meta.url).pathname.endsWith('.ts');
  return new URL(fromSource ? './batch-worker-from-source.mjs' : './batch-worker.js', import.meta.url);
}
