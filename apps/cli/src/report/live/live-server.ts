import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { VERSION } from '../../version.ts';
import { pageAssets } from '../page-assets.ts';
import { pageHtml } from '../page-html.ts';
import type { RunReport } from '../run-report.ts';
import { RunTail } from './run-tail.ts';

/** How often to look for news, in milliseconds. */
const INTERVAL = 1000;
/** A reader that lags behind by more than this many bytes is left out until it has caught up. */
const MOST_WAITING = 8 << 20;
/** How long the last words may take to reach the readers, and a page that has just been sent to ask for them, in milliseconds. */
const PATIENCE = 2000;
export const LOOPBACK = '127.0.0.1';

const HEADERS = {
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

/**
 * Serves the report of a run while it goes on. Whoever asks must know the token that is in the address, and must call this
 * machine by its own name or address, so that no other site's page can reach the run through a browser.
 */
export class LiveServer {
  readonly url: string;
  readonly #server: Server;
  readonly #tail: RunTail;
  readonly #tokenHash: Buffer;
  readonly #names: ReadonlySet<string> | undefined;
  readonly #readers = new Set<ServerResponse>();
  readonly #timer: NodeJS.Timeout;
  /** Pages that have been sent and have not asked for events yet. */
  #opening = 0;
  #sent: Readonly<Record<string, string>> = {};
  #looking: Promise<void> = Promise.resolve();

  private constructor(server: Server, { tail, host, token }: { tail: RunTail; host: string; token: string }) {
    const { port } = server.address() as { port: number };
    this.#server = server;
    this.#tail = tail;
    this.#tokenHash = hash(token);
    this.#names = host === LOOPBACK ? new Set([LOOPBACK, 'localhost']) : undefined;
    this.url = `http://${isIP(host) === 6 ? `[${host}]` : host}:${port}/?token=${token}`;
    server.on('request', (request, response) => void this.#answer(request, response));
    this.#timer = setInterval(() => this.#look(), INTERVAL);
  }

  /**
   * @param options.host The interface; default: this machine alone. The port is one that is free.
   * @throws Error when it cannot listen there, or the folder holds no run.
   */
  static async start(path: string, { host = LOOPBACK }: { host?: string } = {}): Promise<LiveServer> {
    const tail = new RunTail(path);
    await Promise.all([tail.read(), pageAssets()]);
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) =>
        reject(
          new Error(`The report cannot be served on '${host}' (${cause.message}). Choose another --watch-host.`, {
            cause,
          }),
        ),
      );
      server.listen(0, host, resolve);
    });
    return new LiveServer(server, { tail, host, token: randomBytes(18).toString('base64url') });
  }

  /** Sends the last news, says that there will be no more, and closes. */
  async finish(): Promise<void> {
    clearInterval(this.#timer);
    for (let waited = 0; this.#opening > 0 && waited < PATIENCE; waited += 50) await sleep(50);
    this.#look();
    await this.#looking;
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const reader of this.#readers) reader.end('event: end\ndata: {}\n\n');
    const tooLong = setTimeout(() => this.#server.closeAllConnections(), PATIENCE);
    this.#server.closeIdleConnections();
    await closed;
    clearTimeout(tooLong);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://host');
    const refuse = (status: number, text: string) =>
      void response.writeHead(status, { ...HEADERS, 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
    if (!this.#isNamed(request.headers.host)) return refuse(403, 'This name is not one of this machine.');
    if (!timingSafeEqual(hash(searchParams.get('token') ?? ''), this.#tokenHash))
      return refuse(403, 'The token is missing or wrong: use the whole address that secateur has printed.');
    if (request.method !== 'GET') return refuse(405, 'Only GET is answered.');
    try {
      if (pathname === '/') return await this.#sendPage(response);
      if (pathname === '/events') return await this.#sendEvents(response);
    } catch (error) {
      return refuse(500, `The run cannot be read: ${(error as Error).message}`);
    }
    return refuse(404, 'There is nothing here.');
  }

  /** A page of another site that has its own name resolved to this machine gives itself away by that name. */
  #isNamed(header = ''): boolean {
    const { port } = this.#server.address() as { port: number };
    const name = header
      .replace(/:\d+$/, '')
      .replace(/^\[(.*)\]$/, '$1')
      .toLowerCase();
    if (!header.endsWith(`:${port}`) && port !== 80) return false;
    return this.#names?.has(name) ?? (isIP(name) > 0 || name === 'localhost' || name === hostname().toLowerCase());
  }

  async #sendPage(response: ServerResponse): Promise<void> {
    this.#opening++;
    const [run, assets] = [await this.#tail.describe(), await pageAssets()];
    const html = pageHtml({ version: VERSION, runs: [run] }, assets, { events: 'events' });
    response.writeHead(200, { ...HEADERS, 'content-type': 'text/html; charset=utf-8' }).end(html);
  }

  async #sendEvents(response: ServerResponse): Promise<void> {
    const run = partsOf(await this.#tail.describe());
    response.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream' });
    // The page may be older than this connection: it gets everything once.
    response.write(`retry: 2000\n\n${changeEvent(run)}`);
    this.#opening = Math.max(0, this.#opening - 1);
    this.#readers.add(response);
    response.on('close', () => this.#readers.delete(response));
  }

  #look(): void {
    this.#looking = this.#looking
      .then(async () => {
        await this.#tail.read();
        if (this.#readers.size > 0) this.#broadcast(partsOf(await this.#tail.describe()));
      })
      // Half-written files are whole the next time; what stays wrong shows in `secateur report`.
      .catch(() => undefined);
  }

  /** Sends those parts that have changed since the last time. */
  #broadcast(parts: Readonly<Record<string, string>>): void {
    const changed = Object.fromEntries(Object.entries(parts).filter(([key, json]) => this.#sent[key] !== json));
    if (Object.keys(changed).length === 0) return;
    const readers = [...this.#readers];
    if (readers.some(({ writableLength }) => writableLength > MOST_WAITING)) return;
    this.#sent = parts;
    for (const reader of readers) reader.write(changeEvent(changed));
  }
}

/** JSON of each part by its name. */
function partsOf(run: RunReport): Record<string, string> {
  return Object.fromEntries(
    Object.entries(run)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [key, JSON.stringify(value)]),
  );
}

function changeEvent(parts: Readonly<Record<string, string>>): string {
  const members = Object.entries(parts).map(([key, json]) => `${JSON.stringify(key)}:${json}`);
  return `event: change\ndata: {${members.join(',')}}\n\n`;
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
