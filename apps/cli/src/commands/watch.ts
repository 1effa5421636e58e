import { UsageError } from '../exit.ts';
import { LiveReport } from '../report/live/live-report.ts';
import type { RunContext } from '../run/context.ts';

export interface WatchFlags {
  readonly watch?: boolean;
  readonly watchHost?: string;
  readonly quiet?: boolean;
}

/** What --watch asks for: the report, served while the run goes on. */
export class Watch {
  readonly #asked: boolean;
  readonly #host: string | undefined;
  #live: LiveReport | undefined;

  /** @throws UsageError when the address would not be seen. */
  constructor({ watch = false, watchHost, quiet = false }: WatchFlags) {
    this.#asked = watch || watchHost !== undefined;
    this.#host = watchHost;
    if (this.#asked && quiet)
      throw new UsageError('--watch prints an address, which --quiet would hide: leave one out.');
  }

  /** To be called once the events of the run are open. */
  async start({ directory, terminal }: Pick<RunContext, 'directory' | 'terminal'>): Promise<void> {
    if (!this.#asked) return;
    this.#live = await LiveReport.start(directory.path, { host: this.#host });
    terminal.step('Watch', this.#live.url);
  }

  /** To be called once the last event is written. */
  async finish(): Promise<void> {
    await this.#live?.finish();
  }
}
