import '@tensorflow/tfjs-backend-cpu';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { expect, it } from 'vitest';
import { compareSpeed, exportOnnx } from '../src/index.ts';

const network = (filters: number) =>
  exportOnnx(
    sequential({
      layers: [
        layers.conv2d({ name: 'conv1', inputShape: [6, 6, 3], filters, kernelSize: 3 }),
        layers.conv2d({ name: 'conv2', filters, kernelSize: 3 }),
        layers.flatten({ name: 'flat' }),
        layers.dense({ name: 'fc', units: 16 }),
      ],
    }),
  );

it('times both at every setting, next to the ratio of the MACs', async () => {
  const settings: string[] = [];
  const { macs, paddedRatio, measurements, partialBlocks } = await compareSpeed(await network(16), await network(5), {
    batchSizes: [1, 3],
    threads: [1, 2],
    runs: 2,
    warmupRuns: 1,
    onMeasure: ({ batchSize, threads }) => settings.push(`${batchSize} at ${threads}`),
  });
  expect(settings).toEqual(['1 at 1', '3 at 1', '1 at 2', '3 at 2']);
  const dense = 16 * 27 * 16 + 16 * 144 * 4 + 64 * 16;
  const pruned = 5 * 27 * 16 + 5 * 45 * 4 + 20 * 16;
  expect(macs).toEqual({ dense, pruned, ratio: dense / pruned });
  // The images' three colours are not padded; 20 features are, to 32.
  expect(paddedRatio).toBeCloseTo(dense / (16 * 27 * 16 + 16 * 144 * 4 + 32 * 16), 10);
  expect(partialBlocks.map(({ name }) => name)).toEqual(['conv2', 'conv1', 'fc']);
  for (const { batchSize, dense, pruned, speedup, realised } of measurements) {
    expect(speedup).toBe(dense.medianMs / pruned.medianMs);
    expect(realised).toBe(speedup / macs.ratio);
    expect(dense.imagesPerSecond).toBeCloseTo((1000 * batchSize) / dense.medianMs, 6);
  }
});
