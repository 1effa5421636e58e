import { appendFile, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { get, type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeSampleRun } from '../../../test/sample-run.ts';
import { LiveServer } from './live-server.ts';

let server: LiveServer;
let path: string;
beforeEach(async () => {
  path = await writeSampleRun(join(await mkdtemp(join(tmpdir(), 'secateur-live-')), 'run'), { until: 'pruning' });
  server = await LiveServer.start(path);
});
afterEach(() => server.finish());

/** The address with other parts; `fetch` would not let a test choose the Host header. */
function ask(
  change: { path?: string; token?: string; host?: string; method?: string } = {},
): Promise<{ status: number; body: string; headers: IncomingMessage['headers'] }> {
  const { port, searchParams } = new URL(server.url);
  const token = change.token ?? searchParams.get('token')!;
  return new Promise((resolve, reject) => {
    request(
      {
        host: '127.0.0.1',
        port,
        path: `${change.path ?? '/'}?token=${token}`,
        method: change.method ?? 'GET',
        headers: { host: change.host ?? `127.0.0.1:${port}` },
      },
      async (response) => {
        let body = '';
        for await (const chunk of response) body += chunk;
        resolve({ status: response.statusCode!, body, headers: response.headers });
      },
    )
      .on('error', reject)
      .end();
  });
}

describe('who may look', () => {
  it('serves on this machine alone, at a port of its own and with a token', async () => {
    const other = await LiveServer.start(path);
    const [one, two] = [new URL(server.url), new URL(other.url)];
    await other.finish();
    expect(one.hostname).toBe('127.0.0.1');
    expect(one.port).not.toBe(two.port);
    expect(one.searchParams.get('token')).toMatch(/^[\w-]{24}$/);
    expect(one.searchParams.get('token')).not.toBe(two.searchParams.get('token'));
    const { status, body, headers } = await ask();
    expect(status).toBe(200);
    expect(body).toContain('data-events="events"');
    expect(body).toContain("connect-src 'self'");
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
    });
  });

  it.each([
    ['no token', { token: '' }, 403],
    ['a wrong token', { token: 'x'.repeat(24) }, 403],
    ['no token for the events', { path: '/events', token: '' }, 403],
    ["another site's name", { host: 'evil.example:80' }, 403],
    ['its name with our port', { host: `evil.example:${'PORT'}` }, 403],
    ['another method', { method: 'POST' }, 405],
    ['another path', { path: '/../config.json' }, 404],
  ])('refuses %s', async (_, change, status) => {
    const { port } = new URL(server.url);
    const host = 'host' in change ? { host: change.host.replace('PORT', port) } : {};
    const answer = await ask({ ...change, ...host });
    expect(answer.status).toBe(status);
    expect(answer.body).not.toContain('vgg16');
  });

  it('answers to localhost too', async () => {
    expect((await ask({ host: `localhost:${new URL(server.url).port}` })).status).toBe(200);
  });

  it('listens elsewhere when asked, and says when it cannot', async () => {
    const everywhere = await LiveServer.start(path, { host: '0.0.0.0' });
    expect(new URL(everywhere.url).hostname).toBe('0.0.0.0');
    await everywhere.finish();
    await expect(LiveServer.start(path, { host: '192.0.2.1' })).rejects.toThrow(
      /cannot be served on '192\.0\.2\.1' \(.*EADDRNOTAVAIL.*\)\. Choose another --watch-host\./,
    );
  });
});

describe('what they see', () => {
  it('is everything at first, then what changes, then the end', async () => {
    const address = new URL(server.url);
    address.pathname = '/events';
    const response = await new Promise<IncomingMessage>((resolve) => get(address, resolve));
    expect(response.headers['content-type']).toBe('text/event-stream');
    const events = readEvents(response);
    const first = (await events.next()).value!;
    expect(first.type).toBe('change');
    expect(first.data).toMatchObject({ network: 'vgg16, width 0.5', state: 'running', iterations: [{ iteration: 1 }] });

    const later = { seconds: 100, type: 'failed', message: 'the disk is full' };
    await appendFile(join(path, 'events.jsonl'), `${JSON.stringify(later)}\n`);
    // The server may have looked once more just before that.
    let change: { type: string; data: unknown };
    do change = (await events.next()).value!;
    while ((change.data as { state?: string }).state !== 'failed');
    expect(change.data).toMatchObject({ state: 'failed', message: 'the disk is full', seconds: 100 });
    await appendFile(join(path, 'events.jsonl'), `${JSON.stringify({ ...later, seconds: 101 })}\n`);
    expect((await events.next()).value).toEqual({ type: 'change', data: { seconds: 101 } });

    // The last news come even when the end comes right after them.
    await appendFile(join(path, 'events.jsonl'), `${JSON.stringify({ ...later, seconds: 102 })}\n`);
    await server.finish();
    expect((await events.next()).value).toEqual({ type: 'change', data: { seconds: 102 } });
    expect((await events.next()).value).toEqual({ type: 'end', data: {} });
    expect((await events.next()).done).toBe(true);
  });

  it('is said in words where the run cannot be read', async () => {
    const config = await readFile(join(path, 'config.json'), 'utf8');
    await writeFile(join(path, 'config.json'), '{');
    const { status, body } = await ask();
    await writeFile(join(path, 'config.json'), config);
    expect(status).toBe(500);
    expect(body).toMatch(/^The run cannot be read: .*config\.json/);
  });
});

async function* readEvents(response: IncomingMessage): AsyncGenerator<{ type: string; data: unknown }> {
  let text = '';
  for await (const chunk of response) {
    text += chunk;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const [, type, data] = /event: (\w+)\ndata: (.*)$/s.exec(text.slice(0, end)) ?? [];
      text = text.slice(end + 2);
      if (type) yield { type, data: JSON.parse(data!) };
    }
  }
}
