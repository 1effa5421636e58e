import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { loadBinding } from '../src/binding.ts';

const ADDON = new URL('../build/Release/secateur_torch.node', import.meta.url).pathname;

const PROGRAM = `
  const { parentPort, workerData } = require('node:worker_threads');
  const native = require(workerData);
  native.setThreads(2);
  const x = native.fromArray(Float32Array.from({ length: 64 }, (_, i) => i - 32), [4, 16], 'float32');
  const sum = native.sum(native.matmul(native.relu(x), x, false, true, false), [0, 1]);
  parentPort.postMessage({ live: native.memory().tensors, sum: native.toArray(sum)[0] });
`;

const runWorker = () =>
  new Promise<{ live: number; sum: number }>((resolve, reject) => {
    const worker = new Worker(PROGRAM, { eval: true, workerData: ADDON });
    let answer: { live: number; sum: number };
    worker.on('message', (message) => {
      answer = message;
    });
    worker.on('error', reject);
    worker.on('exit', (code) => (code === 0 ? resolve(answer) : reject(new Error(`exit code ${code}`))));
  });

it('workers each have tensors of their own, and leave without a trace while they still hold some', async () => {
  const native = loadBinding();
  const mine = native.fromArray(new Float32Array(3), [3], 'float32');
  const before = native.memory().tensors;
  // sum over i, j of relu(x_i) . x_j, x being -32 .. 31 in rows of 16
  const rows = [0, 1, 2, 3].map((r) => Array.from({ length: 16 }, (_, c) => r * 16 + c - 32));
  const expected = rows.reduce(
    (sum, a) => sum + rows.reduce((s, b) => s + a.reduce((d, v, k) => d + Math.max(0, v) * b[k]!, 0), 0),
    0,
  );
  const answers = await Promise.all([runWorker(), runWorker(), runWorker()]);
  for (const answer of answers) expect(answer).toEqual({ live: 4, sum: expected });
  expect(native.memory().tensors).toBe(before);
  expect(Array.from(native.toArray(mine))).toEqual([0, 0, 0]);
  native.release(mine);
});
