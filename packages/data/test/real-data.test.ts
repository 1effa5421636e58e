import { createHash } from 'node:crypto';
import { channelStatistics, fetchCifar10 } from '@secateur/data';
import { expect, test } from 'vitest';

// Downloads 139 MB unless they are in the cache.
test.runIf(process.env.SECATEUR_REAL_DATA === '1')('the real CIFAR-10', { timeout: 600_000 }, async () => {
  const { train, test: held } = await fetchCifar10();
  for (const [data, perClass] of [
    [train, 5000],
    [held, 1000],
  ] as const) {
    const counts = new Array<number>(10).fill(0);
    for (const label of data.labels) counts[label]! += 1;
    expect(counts).toEqual(new Array(10).fill(perClass));
  }
  const { mean, std } = channelStatistics(train);
  [0.49139968, 0.48215841, 0.44653091].forEach((value, channel) => {
    expect(mean[channel]).toBeCloseTo(value, 8);
  });
  [0.24703223, 0.24348513, 0.26158784].forEach((value, channel) => {
    expect(std[channel]).toBeCloseTo(value, 8);
  });
  // Training image 983, an airplane, in the official order.
  const image = train.images.subarray(983 * 3072, 984 * 3072);
  expect(createHash('sha256').update(image).digest('hex')).toBe(
    '3c93b7e1c14f2eea8f735265a05c64621826bfa62937e227b67b009705be6dd4',
  );
  expect(train.labels[983]).toBe(0);
});
