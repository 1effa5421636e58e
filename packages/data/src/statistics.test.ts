import { expect, test } from 'vitest';
import { channelStatistics } from './statistics.ts';

test('mean and standard deviation of each channel, computed by hand', () => {
  const { mean, std } = channelStatistics({
    // Channel 0: 0, 255, 0, 255. Channel 1: 51, 51, 102, 204 = 0.2, 0.2, 0.4, 0.8.
    images: Uint8Array.of(0, 51, 255, 51, 0, 102, 255, 204),
    labels: Int32Array.of(0, 0),
    shape: [1, 2, 2],
    classNames: ['only'],
  });
  expect(mean[0]).toBeCloseTo(0.5, 14);
  expect(std[0]).toBeCloseTo(0.5, 14);
  expect(mean[1]).toBeCloseTo(0.4, 14);
  expect(std[1]).toBeCloseTo(Math.sqrt((0.04 + 0.04 + 0 + 0.16) / 4), 14);
});

test('no images, no statistics', () => {
  const none = { images: new Uint8Array(0), labels: new Int32Array(0), shape: [1, 1, 1], classNames: ['a'] } as const;
  expect(() => channelStatistics(none)).toThrow('there are no images');
});
