import '@secateur/core';
import { readdir, readFile } from 'node:fs/promises';
import * as tf from '@tensorflow/tfjs-core';
import { importOnnx } from '../src/index.ts';
import { damage } from './damage.ts';

/** Of a processor: a file of 200 kB is imported in well under a second; what takes far longer was led astray. */
const PATIENCE_MS = 20_000;
/** Memory of tensors and buffers that a file of 200 kB may make the importer hold. */
const MAX_BYTES = 256 * 2 ** 20;

export interface FuzzResult {
  imported: number;
  refused: number;
  readonly problems: string[];
  slowestMs: number;
}

/** Imports damaged copies of the fixtures; what should not happen is listed with the seed that repeats it. */
export async function fuzzImport({ cases, seed }: { cases: number; seed: number }): Promise<FuzzResult> {
  const folder = new URL('fixtures/', import.meta.url);
  const names = (await readdir(folder)).filter((name) => name.endsWith('.onnx')).sort();
  const files = await Promise.all(names.map((name) => readFile(new URL(name, folder))));
  const result: FuzzResult = { imported: 0, refused: 0, problems: [], slowestMs: 0 };
  for (let i = 0; i < cases; i++) {
    const which = i % files.length;
    const report = (problem: string) => result.problems.push(`${names[which]}, seed ${seed + i}: ${problem}`);
    const bytes = damage(files[which]!, seed + i);
    const tensors = tf.memory().numTensors;
    const start = process.cpuUsage();
    try {
      const { model } = await importOnnx(bytes);
      result.imported++;
      model.dispose();
    } catch (error) {
      result.refused++;
      const { message } = error as Error;
      // Errors of the language, not of the file, are errors of the importer.
      const isOurs = /cannot be imported: ./.test(message) && (error as Error).constructor === Error;
      const { cause } = error as Error;
      if (!isOurs || cause instanceof TypeError || cause instanceof RangeError) report(`${cause ?? error}`);
      if (/undefined|is not a function|\[object/.test(message.replace(/Supported: .*/, ''))) report(message);
    }
    const { user, system } = process.cpuUsage(start);
    const duration = (user + system) / 1000;
    result.slowestMs = Math.max(result.slowestMs, duration);
    if (duration > PATIENCE_MS) report(`took ${Math.round(duration)} ms`);
    if (tf.memory().numTensors !== tensors) report(`left ${tf.memory().numTensors - tensors} tensors`);
    const { arrayBuffers } = process.memoryUsage();
    if (arrayBuffers > MAX_BYTES) report(`holds ${Math.round(arrayBuffers / 2 ** 20)} MB`);
  }
  return result;
}
