// Runs the documentation's examples on one backend and prints Outcome[] as JSON. Arguments: the backend, how often each example runs, and
// a pattern for the code of those to run.
import '@tensorflow/tfjs-backend-cpu';
import '../src/index.ts';
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js';
import { format, inspect } from 'node:util';
import * as core from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';
import { uniformNumbers } from '../fuzz/tensors.ts';
import { type Example, readExamples } from './examples.ts';
import type { Outcome } from './outcome.ts';

type Program = (tf: object) => Promise<void>;
const AsyncFunction = (async () => {}).constructor as new (...parts: string[]) => Program;

const [backend, repeats, pattern] = process.argv.slice(2) as [string, string, string];
await core.setBackend(backend);
const tf = { ...core, ...layers };

const { log } = console;
let printed: string[] = [];
console.log = (...values: unknown[]) => printed.push(format(...values));
console.warn = () => {};
// A tensor within an object is shown by its values, not by the fields of a class that differ between backends.
Object.assign(core.Tensor.prototype, {
  [inspect.custom](this: core.Tensor) {
    return this.toString();
  },
});
globalThis.fetch = async () => {
  throw new Error('The documentation runs without a network.');
};

async function run({ name, code }: Example): Promise<Outcome> {
  const times: number[] = [];
  for (let i = 0; i < Number(repeats); i++) {
    printed = [];
    // Weights, dropout and shuffling draw from it.
    Math.random = uniformNumbers(1);
    const start = performance.now();
    try {
      await new AsyncFunction('tf', code)(tf);
    } catch (error) {
      return { name, code, printed: printed.join('\n'), error: String(error), milliseconds: Number.NaN };
    }
    times.push(performance.now() - start);
  }
  const milliseconds = times.sort((a, b) => a - b)[times.length >> 1]!;
  return { name, code, printed: printed.join('\n'), milliseconds };
}

const outcomes: Outcome[] = [];
for (const example of readExamples()) {
  if (new RegExp(pattern, 's').test(example.code)) outcomes.push(await run(example));
}
log(JSON.stringify(outcomes));
