import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scoreFilters } from '@secateur/core';
import '@secateur/tfjs-backend-torch';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { readAll } from '../src/array-source.ts';
import { measureInChild } from '../src/child.ts';
import { buildNetwork } from '../src/networks.ts';
import { noiseImages } from '../src/noise-images.ts';
import { findPythonWithTorch } from '../src/python.ts';
import { root } from './bench.ts';

const python = await findPythonWithTorch().catch(() => undefined);

/** Reads weights in the order of state_dict() and then images, and prints the scores of the peer. */
const SCRIPT = `
import array, json, sys, torch
sys.path.insert(0, sys.argv[1])
from networks import build
from scoring import score
torch.set_num_threads(1)
model = build(sys.argv[3], float(sys.argv[4]))
values = array.array("f")
values.frombytes(open(sys.argv[2], "rb").read())
values = torch.tensor(values)
for name, tensor in model.state_dict().items():
    if name.endswith("num_batches_tracked"):
        continue
    tensor.copy_(values[:tensor.numel()].view(tensor.shape))
    values = values[tensor.numel():]
model.requires_grad_(sys.argv[5] != "frozen")
print(json.dumps([own.tolist() for own in score(model, values.view(10, -1, 3, 32, 32))]))
`;

/** Kernels as PyTorch lays them out, layer by layer. */
function weightsForTorch(model: LayersModel): Float32Array[] {
  const permutations: Record<number, number[]> = { 2: [1, 0], 4: [3, 2, 0, 1] };
  return model.layers.flatMap((layer) =>
    layer.getWeights().map((weight) => {
      const permutation = permutations[weight.rank];
      return (permutation ? tf.transpose(weight, permutation) : weight).dataSync() as Float32Array;
    }),
  );
}

describe.skipIf(python === undefined)('peers/scoring.py (needs a Python with torch)', () => {
  it.each([
    ['vgg16', 0.0625, 'trainable'],
    ['vgg16', 0.0625, 'frozen'],
    ['resnet20', 0.25, 'trainable'],
    ['resnet20', 0.25, 'frozen'],
  ] as const)('gives the scores that we give: %s of width %s, %s', async (network, width, weights) => {
    await tf.setBackend('torch');
    const model = buildNetwork(network, { width, seed: 3 });
    const source = noiseImages({ classes: 10, perClass: 2, batch: 20 });
    const { images } = await readAll(source);
    const nchw = tf.tidy(
      () => tf.transpose(tf.tensor4d(images, [20, 32, 32, 3]), [0, 3, 1, 2]).dataSync() as Float32Array,
    );
    const file = join(await mkdtemp(join(tmpdir(), 'secateur-bench-')), 'values.bin');
    const parts = [...weightsForTorch(model), nchw];
    await writeFile(
      file,
      Buffer.concat(parts.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength))),
    );

    const args = ['-c', SCRIPT, join(root, 'peers'), file, network, String(width), weights];
    const theirs = await measureInChild<number[][]>(python!, args, { PYTHONDONTWRITEBYTECODE: '1' });
    const scores = await scoreFilters(model, source, { criterion: { kind: 'reference', tau: 0 } });
    const ours = scores.map(({ numerators, denominator }) => Array.from(numerators, (n) => n / denominator));
    expect(theirs.map(({ length }) => length)).toEqual(ours.map(({ length }) => length));
    const pairs = ours.flatMap((own, layer) => own.map((score, f) => [score, theirs[layer]![f]!] as const));
    // An activation next to zero may fall on either side of ReLU, which is half a class here.
    for (const [own, other] of pairs) expect(Math.abs(own - other)).toBeLessThanOrEqual(0.5 + 1e-6);
    expect(pairs.filter(([own, other]) => Math.abs(own - other) > 1e-6).length).toBeLessThan(0.02 * pairs.length);
    // Not all the same.
    expect(new Set(pairs.map(([own]) => own)).size).toBeGreaterThan(3);
  });
});
