import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { EVENTS } from '../../run/is-run.ts';
import { collectorOptions, describeRun } from '../read-run.ts';
import { RunCollector } from '../run-collector.ts';
import { parseRunEvent } from '../run-events.ts';
import type { RunReport } from '../run-report.ts';

const CHUNK = 1 << 20;
const NEWLINE = 10;

/** Follows a run that another thread or process writes. */
export class RunTail {
  readonly #path: string;
  #collector: RunCollector | undefined;
  #offset = 0;
  #unfinished: Buffer = Buffer.alloc(0);

  constructor(path: string) {
    this.#path = path;
  }

  /** Takes in what has been written since. @returns Whether there was something. */
  async read(): Promise<boolean> {
    const file = await open(join(this.#path, EVENTS));
    try {
      // A run that is resumed goes back to its checkpoint first.
      if ((await file.stat()).size < this.#offset) this.#startOver();
      this.#collector ??= new RunCollector(await collectorOptions(this.#path));
      const start = this.#offset;
      for (;;) {
        const { bytesRead, buffer } = await file.read(Buffer.alloc(CHUNK), 0, CHUNK, this.#offset);
        if (bytesRead === 0) return this.#offset > start;
        this.#offset += bytesRead;
        this.#take(buffer.subarray(0, bytesRead));
      }
    } finally {
      await file.close();
    }
  }

  describe(): Promise<RunReport> {
    return describeRun(this.#path, this.#collector ?? new RunCollector());
  }

  #take(bytes: Buffer): void {
    const end = bytes.lastIndexOf(NEWLINE);
    if (end < 0) {
      this.#unfinished = Buffer.concat([this.#unfinished, bytes]);
      return;
    }
    const lines = Buffer.concat([this.#unfinished, bytes.subarray(0, end)])
      .toString('utf8')
      .split('\n');
    this.#unfinished = Buffer.from(bytes.subarray(end + 1));
    for (const line of lines) {
      const event = line === '' ? undefined : parseRunEvent(line);
      if (event) this.#collector!.add(event);
    }
  }

  #startOver(): void {
    this.#collector = undefined;
    this.#offset = 0;
    this.#unfinished = Buffer.alloc(0);
  }
}
