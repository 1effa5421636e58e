import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, expect, it } from 'vitest';
import { acquireLock } from './run-lock.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'secateur-'));
  path = join(folder, '.lock');
});

const edit = (change: object) =>
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...change }));

it('is refused to the second, naming the first, until it is given back', () => {
  const lock = acquireLock(path);
  expect(() => acquireLock(path)).toThrow(
    new RegExp(`^Process ${process.pid} is working in this run directory\\. Wait for it, or choose another folder`),
  );
  lock.release();
  expect(readdirSync(folder)).toEqual([]);
  acquireLock(path).release();
});

it('is taken from a process that has ended', () => {
  const { pid } = spawnSync(process.execPath, ['--version']);
  const dead = acquireLock(path);
  edit({ pid, token: 'dead-one' });
  const lock = acquireLock(path);
  // What the former holder gives back too late is not its own any more.
  dead.release();
  expect(existsSync(path)).toBe(true);
  lock.release();
  expect(readdirSync(folder)).toEqual([]);
});

it.runIf(process.platform === 'linux')('is taken from a process whose number another one has got since', () => {
  acquireLock(path);
  edit({ started: '1' });
  acquireLock(path);
  edit({ boot: 'before the machine was started again' });
  acquireLock(path).release();
});

it('is not taken from a process on another machine, which cannot be asked', () => {
  acquireLock(path);
  edit({ host: `not-${hostname()}`, pid: 1 });
  expect(() => acquireLock(path)).toThrow(/^Process 1 on 'not-.*if it has ended, delete '.*\.lock'\.$/);
});

it('names a lock that cannot be read', () => {
  writeFileSync(path, '{');
  expect(() => acquireLock(path)).toThrow(/^The lock '.*' cannot be read .* If no process works there, delete it\.$/);
});

it('goes to one of many processes that find a dead holder at the same time', async () => {
  const { pid } = spawnSync(process.execPath, ['--version']);
  acquireLock(path);
  edit({ pid });
  const script = `
    import { acquireLock } from ${JSON.stringify(fileURLToPath(new URL('./run-lock.ts', import.meta.url)))};
    process.stdin.once('data', () => {
      try { acquireLock(${JSON.stringify(path)}); console.log('mine'); } catch { console.log('refused'); }
      process.stdin.once('data', () => process.exit());
    });
    console.log('ready');`;
  const contenders = Array.from({ length: 3 }, () =>
    spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script]),
  );
  const next = (child: (typeof contenders)[number]) =>
    new Promise<string>((resolve) => child.stdout.once('data', (text: Buffer) => resolve(text.toString().trim())));
  expect(await Promise.all(contenders.map(next))).toEqual(['ready', 'ready', 'ready']);
  const answers = Promise.all(contenders.map(next));
  for (const child of contenders) child.stdin.write('go\n');
  expect((await answers).sort()).toEqual(['mine', 'refused', 'refused']);
  for (const child of contenders) child.stdin.write('end\n');
});
