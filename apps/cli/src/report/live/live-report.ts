import { Worker } from 'node:worker_threads';
import type { FromLive, LiveRecipe } from './live-worker.ts';

/** A report that is served from a thread of its own, so that it answers while this one computes. */
export class LiveReport {
  /** With the token that lets one in. */
  readonly url: string;
  readonly #worker: Worker;
  readonly #ended: Promise<unknown>;

  private constructor(url: string, worker: Worker, ended: Promise<unknown>) {
    this.url = url;
    this.#worker = worker;
    this.#ended = ended;
  }

  /**
   * @param path The run directory.
   * @param options.host The interface to serve on; default: 127.0.0.1.
   * @throws Error when it cannot be served there.
   */
  static async start(path: string, { host }: { host?: string | undefined } = {}): Promise<LiveReport> {
    const workerData: LiveRecipe = { path, ...(host !== undefined && { host }) };
    const worker = new Worker(workerScript(), { workerData, execArgv: [] });
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    const answer = await new Promise<FromLive>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    if ('problem' in answer) throw new Error(answer.problem);
    // A report that breaks must not break the run.
    worker.on('error', () => undefined);
    worker.unref();
    return new LiveReport(answer.url, worker, ended);
  }

  /** Shows the last state to those who look, and ends. */
  async finish(): Promise<void> {
    this.#worker.ref();
    this.#worker.postMessage('finish');
    await this.#ended;
  }
}

/** Beside this file, as JavaScript in the build, and as TypeScript in the source tree. */
function workerScript(): URL {
  const fromSource = new URL(import.meta.url).pathname.endsWith('.ts');
  return new URL(fromSource ? './live-worker-from-source.mjs' : './live-worker.js', import.meta.url);
}
