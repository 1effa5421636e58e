// The process that makes the calls, and may die of one: node child.ts MODE SEED FROM COUNT LOG
// Before each call it writes down which; supervise.ts reads that when this process ends as it should not.
import { closeSync, openSync, writeSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import * as tf from '@tensorflow/tfjs-core';
import { loadBinding } from '../../src/binding.ts';
import { memory } from '../../src/index.ts';
import { kernelCall, nativeKernels, smallTensor, WrongResult } from './kernel-calls.ts';
import { nativeCall, nativeNames } from './native-calls.ts';
import { Random } from './random.ts';

export type Mode = 'native' | 'kernels' | 'tasks' | 'workers';

interface Job {
  readonly mode: Mode;
  readonly seed: number;
  readonly from: number;
  readonly count: number;
  readonly log: string;
}

const CONCURRENT = 4;

/** A thread does not inherit what lets its process run TypeScript. */
const FROM_SOURCE = `import('tsx/esm/api').then(({ register }) => {
  register();
  return import(${JSON.stringify(import.meta.url)});
});`;

/** The last call, as `number text`. One line at the start of the file, overwritten each time. */
class Log {
  readonly #file: number;

  constructor(path: string) {
    this.#file = openSync(path, 'w');
  }

  before(number: number, text: string): void {
    writeSync(this.#file, `${`${number} ${text}`.slice(0, 3000)}\n${' '.repeat(40)}\n`, 0);
  }

  close(): void {
    closeSync(this.#file);
  }
}

function mustBeError(error: unknown): void {
  if (!(error instanceof Error) || error instanceof WrongResult) throw error;
}

function callNatively({ seed, from, count, log }: Job): void {
  const native = loadBinding();
  const names = nativeNames(native);
  const calls = new Log(log);
  const before = native.memory().tensors;
  for (let number = from; number < from + count; number++) {
    const call = nativeCall(native, names, seed, number);
    calls.before(number, call.text);
    try {
      call.run();
    } catch (error) {
      mustBeError(error);
    }
    const left = native.memory().tensors - before;
    if (left !== 0) throw new Error(`${left} native tensors are left`);
  }
  calls.close();
}

async function callKernels({ seed, from, count, log }: Job): Promise<void> {
  await tf.setBackend('torch');
  const names = nativeKernels();
  const calls = new Log(log);
  const before = memory().tensors;
  for (let number = from; number < from + count; number++) {
    const random = new Random(seed, number);
    tf.tidy(() => {
      const pool = random.list(8, () => smallTensor(random));
      pool[0]!.dispose();
      const call = kernelCall(names, random, pool);
      calls.before(number, call.text);
      try {
        call.run();
      } catch (error) {
        mustBeError(error);
      }
    });
    const left = memory().tensors - before;
    if (left !== 0) throw new Error(`${left} native tensors are left`);
  }
  calls.close();
}

/** Tasks take turns, and each disposes of tensors that the others still mean to use. */
async function callInTasks({ seed, from, count, log }: Job): Promise<void> {
  await tf.setBackend('torch');
  const names = nativeKernels();
  const calls = new Log(log);
  const shared = new Random(seed, from);
  const pool = shared.list(12, () => smallTensor(shared));
  let number = from;
  const task = async (identity: number) => {
    const random = new Random(seed + identity, from);
    while (number < from + count) {
      const call = kernelCall(names, random, pool);
      calls.before(number++, call.text);
      try {
        const [first] = call.run();
        const place = random.integer(0, pool.length - 1);
        pool[place]!.dispose();
        pool[place] = first && first.size < 1000 ? first : smallTensor(random);
        const reading = pool[random.integer(0, pool.length - 1)]!.data();
        await Promise.all([reading, random.chance(0.3) ? setImmediate() : undefined]);
      } catch (error) {
        mustBeError(error);
        await setImmediate();
      }
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT }, (_, identity) => task(identity)));
  calls.close();
}

/** Threads call the addon at the same time; half of them are stopped in the middle of it. */
async function callInWorkers(job: Job): Promise<void> {
  const random = new Random(job.seed, job.from);
  const worker = (identity: number) =>
    new Promise<void>((resolve, reject) => {
      const mine: Job = { ...job, mode: 'native', seed: job.seed + identity, log: `${job.log}.${identity}` };
      const thread = new Worker(FROM_SOURCE, { eval: true, workerData: mine });
      const stop = identity % 2 === 1 ? setTimeout(() => thread.terminate(), random.integer(300, 1500)) : undefined;
      thread.on('error', reject);
      thread.on('exit', () => {
        clearTimeout(stop);
        resolve();
      });
    });
  await Promise.all(Array.from({ length: CONCURRENT }, (_, identity) => worker(identity)));
}

const MODES: Readonly<Record<Mode, (job: Job) => void | Promise<void>>> = {
  native: callNatively,
  kernels: callKernels,
  tasks: callInTasks,
  workers: callInWorkers,
};

const [mode, seed, from, count, log] = process.argv.slice(2);
const job: Job = isMainThread
  ? { mode: mode as Mode, seed: Number(seed), from: Number(from), count: Number(count), log: log! }
  : (workerData as Job);
await MODES[job.mode](job);
