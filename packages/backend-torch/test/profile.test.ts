import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { beforeEach, describe, expect, it } from 'vitest';
import { formatProfile, type ProfileRow, profile, setPrecision, startProfile, trace } from '../src/index.ts';
import { profileFromEnvironment } from '../src/profile/at-exit.ts';
import { runKernel, tensor } from './helpers.ts';

beforeEach(async () => {
  await tf.setBackend('torch');
});

/** Reads what `run` returns, which computes what waited for that. */
async function rowsOf(run: () => tf.Tensor | undefined): Promise<Record<string, ProfileRow>> {
  const { rows } = await profile(() => tf.tidy(() => void run()?.dataSync()));
  return Object.fromEntries(rows.map((row) => [row.kernel, row]));
}

const image = (...shape: [number, number, number, number]) => tensor(shape) as tf.Tensor4D;

describe('operations by formula', () => {
  const x = image(2, 8, 8, 3);
  const filter = image(3, 3, 3, 5);
  const spread = image(3, 3, 3, 2);
  const forward = 2 * (2 * 8 * 8 * 5) * (3 * 3 * 3);
  const depthwise = 2 * (2 * 4 * 4 * 6) * (3 * 3);

  it.each<[string, number, () => tf.Tensor]>([
    ['Conv2D', forward, () => tf.conv2d(x, filter, 1, 'same')],
    ['Conv2D', forward, () => tf.conv2d(tf.transpose(x, [0, 3, 1, 2]), filter, 1, 'same', 'NCHW')],
    ['Conv2D', 2 * (2 * 3 * 3 * 5) * 27, () => tf.conv2d(x, filter, 2, 'valid')],
    ['Conv2DBackpropInput', forward, () => tf.grad((x) => tf.conv2d(x as tf.Tensor4D, filter, 1, 'same'))(x)],
    ['Conv2DBackpropFilter', forward, () => tf.grad((w) => tf.conv2d(x, w as tf.Tensor4D, 1, 'same'))(filter)],
    ['FusedConv2D', forward, () => tf.fused.conv2d({ x, filter, strides: 1, pad: 'same', activation: 'relu' })],
    ['DepthwiseConv2dNative', depthwise, () => tf.depthwiseConv2d(x, spread, 2, 'same')],
    [
      'DepthwiseConv2dNativeBackpropInput',
      depthwise,
      () => tf.grad((x) => tf.depthwiseConv2d(x as tf.Tensor4D, spread, 2, 'same'))(x),
    ],
    [
      'DepthwiseConv2dNativeBackpropFilter',
      depthwise,
      () => tf.grad((w) => tf.depthwiseConv2d(x, w as tf.Tensor4D, 2, 'same'))(spread),
    ],
    [
      'Conv3D',
      2 * (4 * 4 * 4 * 3) * (2 * 2 * 2 * 2),
      () => tf.conv3d(tensor([1, 4, 4, 4, 2]) as tf.Tensor5D, tensor([2, 2, 2, 2, 3]) as tf.Tensor5D, 1, 'same'),
    ],
    ['BatchMatMul', 2 * 4 * (3 * 6) * 5, () => tf.matMul(tensor([4, 3, 5]), tensor([4, 5, 6]))],
    ['BatchMatMul', 2 * (3 * 6) * 5, () => tf.matMul(tensor([5, 3]), tensor([6, 5]), true, true)],
    ['_FusedMatMul', 2 * (3 * 6) * 5, () => tf.fused.matMul({ a: tensor([3, 5]), b: tensor([5, 6]) })],
  ])('%s', async (kernel, flops, run) => {
    const row = (await rowsOf(run))[kernel]!;
    expect(row.flops).toBe(flops);
    expect(row.gflopsPerSecond).toBeCloseTo(flops / row.ms / 1e6, 9);
  });
});

describe('counts and bytes', () => {
  it('counts every call and the bytes of its distinct inputs and of its outputs', async () => {
    const x = tensor([4, 8]);
    const rows = await rowsOf(() => {
      for (let i = 0; i < 3; i++) tf.relu(x);
      tf.mul(x, x);
      tf.reshape(x, [8, 4]);
      return tf.concat([x, tensor([2, 8])], 0);
    });
    const figures = Object.fromEntries(
      Object.values(rows).map(({ kernel, count, bytes, flops }) => [kernel, { count, bytes, flops }]),
    );
    expect(figures).toEqual({
      Relu: { count: 3, bytes: 3 * 2 * 128, flops: null },
      Multiply: { count: 1, bytes: 2 * 128, flops: null },
      Reshape: { count: 1, bytes: 0, flops: null },
      Concat: { count: 1, bytes: 128 + 64 + 192, flops: null },
    });
    expect(rows.Relu!.ms).toBeGreaterThan(0);
    expect(rows.Relu!.gigabytesPerSecond).toBeCloseTo(768 / rows.Relu!.ms / 1e6, 9);
  });

  it('counts bfloat16 activations with two bytes a value, and 8 for a complex one', async () => {
    const x = image(1, 4, 4, 2);
    const filter = image(1, 1, 2, 3);
    setPrecision('bfloat16');
    try {
      const { Conv2D, Sigmoid } = await rowsOf(() => tf.sigmoid(tf.conv2d(x, filter, 1, 'same')));
      expect(Conv2D!.bytes).toBe(4 * 32 + 4 * 6 + 2 * 48);
      expect(Sigmoid!.bytes).toBe(2 * 48 + 2 * 48);
    } finally {
      setPrecision('float32');
    }
    const { Real } = await rowsOf(() => tf.real(tf.complex([1, 2], [3, 4])));
    expect(Real!.bytes).toBe(2 * 8 + 2 * 4);
  });

  it('gives shapes rows of their own when asked', async () => {
    const { rows } = await profile(() => tf.tidy(() => void [tf.relu(tensor([2])), tf.relu(tensor([3, 1]))]), {
      byShape: true,
    });
    expect(rows.map(({ kernel }) => kernel).sort()).toEqual(['Relu [2]', 'Relu [3,1]']);
  });

  it('counts what fused kernels update in place', async () => {
    const weight = tf.variable(tf.zeros([16]));
    const { rows } = await profile(() => {
      const inputs = { weight, velocity: tf.zeros([16]), gradient: tf.zeros([16]) };
      runKernel('SgdMomentumUpdate', inputs, { learningRate: 1, momentum: 0, weightDecay: 0, l1: 0, penalty: 0 });
    });
    expect(rows.find(({ kernel }) => kernel === 'SgdMomentumUpdate')!.bytes).toBeGreaterThanOrEqual(3 * 64 + 4);
  });
});

describe('a convolution that waits for what comes after it', () => {
  const x = image(1, 4, 4, 2);
  const filter = image(3, 3, 2, 3);
  const vector = tf.ones([3]) as tf.Tensor1D;

  it('is one row with what was folded into it, timed when it is computed', async () => {
    const rows = await rowsOf(() => {
      const normed = tf.batchNorm(tf.conv2d(x, filter, 1, 'same'), vector, vector, vector, vector);
      return tf.sigmoid(tf.relu(normed));
    });
    expect(Object.keys(rows).sort()).toEqual(['Conv2D+FusedBatchNorm+Relu', 'Reshape', 'Sigmoid']);
    const folded = rows['Conv2D+FusedBatchNorm+Relu']!;
    expect(folded.count).toBe(1);
    expect(folded.flops).toBe(2 * (4 * 4 * 3) * (3 * 3 * 2));
    expect(folded.bytes).toBe(4 * (32 + 54 + 4 * 3 + 48));
    expect(folded.ms).toBeGreaterThan(0);
  });

  it('is no row when nobody reads it', async () => {
    expect(await rowsOf(() => void tf.conv2d(x, filter, 1, 'same'))).toEqual({});
  });
});

describe('tensors that stay alive', () => {
  it('are named by the kernel that made them', async () => {
    const kept: tf.Tensor[] = [];
    const running = startProfile();
    tf.tidy(() => {
      const x = tensor([10, 10]);
      for (let i = 0; i < 4; i++) kept.push(tf.keep(tf.exp(x)));
      kept.push(tf.keep(tf.reshape(kept[0]!, [100])), tf.keep(tf.einsum('ij->i', x)), tf.keep(tf.tensor1d([1, 2])));
    });
    const alive = (rows: ProfileRow[]) =>
      Object.fromEntries(rows.flatMap((row) => (row.alive > 0 ? [[row.kernel, [row.alive, row.aliveBytes]]] : [])));
    expect(alive(running.rows())).toEqual({ Exp: [4, 1600], Einsum: [1, 40], 'tf.tensor': [1, 8] });
    tf.dispose(kept);
    expect(alive(running.stop())).toEqual({});
  });

  it('are those made since the profile began', async () => {
    const outer = startProfile();
    const before = tf.zeros([3]);
    const { rows } = await profile(() => tf.zerosLike(before));
    expect(rows.map(({ kernel, alive }) => [kernel, alive])).toEqual([['ZerosLike', 1]]);
    expect(outer.stop().find(({ kernel }) => kernel === 'ZerosLike')!.alive).toBe(1);
  });
});

describe('without a profile', () => {
  it('kernels are what they were, after nested profiles and after an error too', async () => {
    const original = tf.getKernel('Relu', 'torch');
    const outer = startProfile();
    const inner = startProfile();
    expect(tf.getKernel('Relu', 'torch')).not.toBe(original);
    outer.stop();
    expect(tf.getKernel('Relu', 'torch')).not.toBe(original);
    inner.stop();
    inner.stop();
    expect(tf.getKernel('Relu', 'torch')).toBe(original);
    await expect(
      profile(async () => {
        tf.matMul(tensor([2, 3]), tensor([2, 3]));
      }),
    ).rejects.toThrow(/inner/i);
    expect(tf.getKernel('Relu', 'torch')).toBe(original);
  });
});

describe('SECATEUR_PROFILE', () => {
  it('prints the table when the program ends', () => {
    const program = "import * as tf from '@tensorflow/tfjs-core'; import './src/index.ts'; tf.relu([1, 2]);";
    const { stderr, stdout, status } = spawnSync(
      process.execPath,
      ['--conditions=@secateur/source', '--import', 'tsx', '--input-type=module', '--eval', program],
      {
        cwd: fileURLToPath(new URL('..', import.meta.url)),
        env: { ...process.env, SECATEUR_PROFILE: 'shapes' },
        encoding: 'utf8',
      },
    );
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^kernel +count +ms +share +GFLOP\/s +GB\/s +alive +alive MB\n/);
    expect(stderr).toMatch(/^Relu \[2\] +1 /m);
    expect(status).toBe(0);
  });

  it('refuses what it does not know', () => {
    expect(() => profileFromEnvironment({ SECATEUR_PROFILE: 'yes' })).toThrow(
      "Expected SECATEUR_PROFILE to be 1, shapes or 0, but got 'yes'.",
    );
  });

  it('formats figures and sums', () => {
    const row = {
      kernel: 'Conv2D',
      count: 2,
      ms: 4,
      flops: 8e9,
      bytes: 2e6,
      gflopsPerSecond: 2000,
      gigabytesPerSecond: 0.5,
      alive: 1,
      aliveBytes: 3e6,
    };
    expect(formatProfile([row]).split('\n')).toEqual([
      'kernel  count   ms    share  GFLOP/s  GB/s  alive  alive MB',
      'Conv2D      2  4.0  100.0 %   2000.0   0.5      1       3.0',
      'total       2  4.0                              1       3.0',
    ]);
  });
});

it('has a row for the runs of traces, with their outputs', async () => {
  const x = tensor([2, 3]);
  const traced = trace((x) => tf.relu(tf.add(x, 1)), x);
  const { result, rows } = await profile(() => [...traced.run(x), ...traced.run(x)], { byShape: true });
  expect(rows).toMatchObject([{ kernel: 'trace [2,3]', count: 2, flops: null, alive: 2, aliveBytes: 48, bytes: 96 }]);
  expect(rows[0]!.ms).toBeGreaterThan(0);
  tf.dispose(result);
  tf.dispose(traced.run(x));
  traced.dispose();
});
