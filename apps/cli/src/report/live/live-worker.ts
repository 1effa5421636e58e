import { parentPort, workerData } from 'node:worker_threads';
import { LiveServer } from './live-server.ts';

export interface LiveRecipe {
  readonly path: string;
  readonly host?: string;
}

export type FromLive = { readonly url: string } | { readonly problem: string };

const port = parentPort!;
const { path, ...options } = workerData as LiveRecipe;
try {
  const server = await LiveServer.start(path, options);
  port.once('message', async () => {
    await server.finish();
    port.close();
  });
  port.postMessage({ url: server.url } satisfies FromLive);
} catch (error) {
  port.postMessage({ problem: (error as Error).message } satisfies FromLive);
  port.close();
}
