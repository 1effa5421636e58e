import { expect, test } from 'vitest';
import type { SoakMeasurement } from '../src/soak/endurance.ts';
import { bench } from './bench.ts';

test('bench soak: counts after each tenth of 200 steps are the same', async () => {
  const { stdout } = await bench('soak', '--json', '--steps', '200', '--batch', '2');
  const { snapshots } = JSON.parse(stdout) as SoakMeasurement;
  expect(snapshots).toHaveLength(10);
  const [first] = snapshots;
  for (const { tensors, handles, residentBytes, imagesPerSecond } of snapshots) {
    expect({ tensors, handles }).toEqual({ tensors: first!.tensors, handles: first!.handles });
    expect(residentBytes).toBeGreaterThan(50e6);
    expect(imagesPerSecond).toBeGreaterThan(0);
  }
});
