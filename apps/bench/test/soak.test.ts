import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { SoakReport } from '../src/commands/soak.ts';
import { bench } from './bench.ts';

test('bench soak: counts after each tenth of 200 steps are the same', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'soak-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const out = join(folder, 'results', 'soak.json');
  const { stdout } = await bench('soak', '--json', '--steps', '200', '--batch', '2', '--out', out);
  const report = JSON.parse(stdout) as SoakReport;
  expect(JSON.parse(await readFile(out, 'utf8'))).toEqual(report);
  expect(report.options).toEqual({ steps: 200, batch: 2 });
  expect(report.machine).toMatchObject({ processors: availableParallelism(), node: process.versions.node });

  const { snapshots } = report;
  expect(snapshots).toHaveLength(10);
  const [first] = snapshots;
  for (const { tensors, handles, residentBytes, imagesPerSecond } of snapshots) {
    expect({ tensors, handles }).toEqual({ tensors: first!.tensors, handles: first!.handles });
    expect(residentBytes).toBeGreaterThan(50e6);
    expect(imagesPerSecond).toBeGreaterThan(0);
  }
});
