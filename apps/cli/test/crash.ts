import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ConfigPatch } from '../src/run/resolve-config.ts';
import { writeTinyCifar10 } from './tiny-cifar.ts';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const KILLER = new URL('kill-at-checkpoint.mjs', import.meta.url).href;

/** Every phase that a run has, in a few seconds: two removals of which one is taken back, and all that is carried over. */
const CONFIG = {
  width: 0.0625,
  trainingImages: null,
  testImages: null,
  validationFraction: 0.2,
  imagesPerClass: 2,
  batchSize: 20,
  training: { epochs: 3 },
  fineTune: { epochs: 2 },
  finalTune: { epochs: 2 },
  selection: { maxFraction: 0.2 },
  keeping: { recalibrateBatches: 2, teacherWeight: 0.5, keepMomentum: true, rewind: true },
  tolerance: 1,
  target: { removed: 0.35 },
  maxIterations: 2,
  goals: { macsRemoved: null, minutes: null },
};

export interface CrashScene {
  /** Arguments of a run in the folder `out`. */
  start(out: string): string[];
  readonly folder: string;
}

/**
 * @param options.everySteps A checkpoint that often; 1 has the run write one nearly all the time.
 * @param options.change What else the run is to do.
 */
export async function crashScene({
  everySteps,
  change = {},
}: {
  everySteps: number;
  change?: ConfigPatch;
}): Promise<CrashScene> {
  const data = await writeTinyCifar10({ perFile: 2 });
  const folder = await mkdtemp(join(tmpdir(), 'secateur-crash-'));
  const config = join(folder, 'config.json');
  writeFileSync(config, JSON.stringify({ ...CONFIG, ...change, checkpoints: { everySteps, everyMinutes: null } }));
  return {
    folder,
    start: (out) => [
      ...['run', '--preset', 'smoke', '--config', config, '--data', data, '--out', out, '--threads', '1', '--quiet'],
    ],
  };
}

export interface Ended {
  readonly code: number | null;
  readonly killed: boolean;
  readonly seconds: number;
  readonly stderr: string;
}

/** When to kill: after so many milliseconds, or in the middle of writing a checkpoint of this process, counted from 1. */
export type Moment = { readonly after: number } | { readonly duringCheckpoint: number };

/** Runs the command as a process and kills it with SIGKILL at that moment, if it lasts that long. */
export function runUntil(args: readonly string[], moment?: Moment): Promise<Ended> {
  const started = performance.now();
  // By the process itself where it must not be missed: on a busy machine, another one would notice the moment too late.
  const nth = moment && 'duringCheckpoint' in moment ? moment.duringCheckpoint : undefined;
  const nodeFlags = ['--conditions=@secateur/source', '--import', 'tsx', ...(nth ? ['--import', KILLER] : [])];
  const child = spawn(process.execPath, [...nodeFlags, MAIN, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...(nth && { KILL_AT_CHECKPOINT: String(nth) }) },
  });
  let stderr = '';
  child.stderr.on('data', (text: Buffer) => {
    stderr += text;
  });
  const timer = moment && 'after' in moment ? setTimeout(() => child.kill('SIGKILL'), moment.after) : undefined;
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, killed: signal === 'SIGKILL', seconds: (performance.now() - started) / 1000, stderr });
    });
  });
}

/** Arguments that go on with a run; those of its start if it was killed before it could say what it is. */
export function goOn(scene: CrashScene, out: string): string[] {
  return existsSync(join(out, 'config.json')) ? ['run', '--resume', out, '--quiet'] : scene.start(out);
}

/** All that must be the same however often a run was killed. Times are left out. */
export function resultOf(out: string): Record<string, unknown> {
  const events = readFileSync(join(out, 'events.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ type }) => type !== 'resumed')
    .map(({ seconds, at, milliseconds, teacherMilliseconds, imagesPerSecond, secondsLeft, ...event }) => event);
  const bytes = (...path: string[]) => readFileSync(join(out, ...path)).toString('base64');
  const { unpruned, pruned, iterations, endReason, passed } = JSON.parse(
    readFileSync(join(out, 'summary.json'), 'utf8'),
  );
  const measured = [unpruned, pruned].map(({ latency, ...network }) => network);
  return {
    events,
    weights: bytes('model', 'weights.bin'),
    model: bytes('model', 'model.json'),
    unpruned: bytes('checkpoints', 'unpruned', 'weights.bin'),
    best: bytes('checkpoints', 'best', 'weights.bin'),
    onnx: bytes('model.onnx'),
    files: readdirSync(out).sort(),
    checkpoints: readdirSync(join(out, 'checkpoints')).sort(),
    summary: { measured, iterations, endReason, passed },
  };
}
