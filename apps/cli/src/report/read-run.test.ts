import { appendFile, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { NASTY, writeSampleRun } from '../../test/sample-run.ts';
import { classChanges } from './page/class-changes.ts';
import { valuesOf } from './page/score-bytes.ts';
import { headlines, polarisation, story } from './page/story.ts';
import { readRun } from './read-run.ts';

let path: string;
beforeEach(async () => {
  path = join(await mkdtemp(join(tmpdir(), 'secateur-report-')), 'sample');
});

describe('readRun', () => {
  it('reads a finished run', async () => {
    const run = await readRun(await writeSampleRun(path));
    expect(run).toMatchObject({
      name: 'sample',
      state: 'finished',
      network: 'vgg16, width 0.5',
      data: 'tiny',
      classNames: NASTY,
      endReason: 'tolerance exceeded',
      layers: [
        { layer: 'conv1', before: 4, after: 3 },
        { layer: 'conv2', before: 6, after: 4 },
      ],
      guards: { macsAtMost: 500 },
      parts: { training: 61.5 },
    });
    expect(run.guards.accuracyAtLeast).toBeCloseTo(0.7, 12);
    expect(run.iterations).toMatchObject([
      { iteration: 1, removedFilters: 3, macs: 600, accuracy: 23 / 30, kept: true },
      { iteration: 2, removedFilters: 1, macs: 500, accuracy: 0.2, kept: false },
    ]);
    expect(run.before!.test!.accuracy).toBe(0.9);
    expect(run.after).toMatchObject({ macs: 600, parameters: 250, onnxBytes: 1500, latency: { medianMs: 0.5 } });
    expect(run.after!.validation.accuracy).toBe(23 / 30);
  });

  it('counts scores, and remembers which filters matter to which class', async () => {
    const { scores, matrices } = await readRun(await writeSampleRun(path));
    expect(scores[0]).toMatchObject({ iteration: 1, classes: 3, threshold: 1.5 });
    expect(scores[0]!.layers).toEqual([
      { layer: 'conv1', filters: 4, low: 0, high: 3, counts: [1, 1, 0, 2], mean: 1.75, removed: 1 },
      { layer: 'conv2', filters: 6, low: 0, high: 3, counts: [2, 0, 1, 3], mean: 1.833, removed: 2 },
    ]);
    expect(polarisation(scores[0]!)).toEqual({ none: 3 / 10, all: 5 / 10 });
    expect(matrices.map(({ iteration, layer, removed }) => [iteration, layer, removed])).toEqual([
      [1, 'conv1', [0]],
      [1, 'conv2', [0, 1]],
      [2, 'conv1', []],
      [2, 'conv2', [0]],
    ]);
    const values = valuesOf(matrices[0]!);
    // A byte for the root: off by less than a hundredth of the largest.
    [0, 1, 1, 1, 0, 0, 2, 2, 0, 0, 3, 3].forEach((value, i) => {
      expect(Math.abs(values[i]! - value)).toBeLessThan(0.03);
    });
  });

  it('tells the story in numbers', async () => {
    const run = await readRun(await writeSampleRun(path));
    expect(headlines(run).map(({ name, change, before, after }) => [name, change, before, after])).toEqual([
      ['test accuracy', '-3.33 points', '90.00 %', '86.67 %'],
      ['multiply-accumulates', '-40.0 %', '1.00 k', '600'],
      ['parameters', '-37.5 %', '400', '250'],
      ['ONNX file', '-25.0 %', '2.00 kB', '1.50 kB'],
      ['latency, one image', '2.00 × as fast', '1.00 ms', '0.500 ms'],
    ]);
    expect(story(run)).toBe(
      '40.0 % of the multiply-accumulates are gone for 3.33 points of test accuracy. It ended after 2 iterations: tolerance exceeded.',
    );
    expect(classChanges(run.before!.test!, run.after!.test!).map(({ className, paid }) => [className, paid])).toEqual([
      [NASTY[2], true],
      [NASTY[1], false],
      [NASTY[0], false],
    ]);
  });

  it('shows what is known of a run that goes on', async () => {
    const training = await readRun(await writeSampleRun(path, { until: 'training' }));
    expect(training).toMatchObject({ state: 'running', layers: [], iterations: [] });
    expect(story(training)).toBe('The network is being trained.');
    expect(training.curves[0]!.steps).toMatchObject({ epoch: [0.25, 0.75, 1.25, 1.75], total: [3, 2.75, 2.5, 2.25] });
    const pruning = await readRun(await writeSampleRun(path, { until: 'pruning' }));
    expect(pruning.layers).toEqual([
      { layer: 'conv1', before: 4, after: 3 },
      { layer: 'conv2', before: 6, after: 4 },
    ]);
    expect(story(pruning)).toBe(
      '40.0 % of the multiply-accumulates are gone so far for 3.33 points of validation accuracy.',
    );
  });

  it('runs again once it is resumed', async () => {
    await writeSampleRun(path, { until: 'training' });
    const lines = [
      { seconds: 50, type: 'failed', message: 'the disk is full' },
      { seconds: 50, type: 'resumed' },
    ];
    await appendFile(join(path, 'events.jsonl'), `${JSON.stringify(lines[0])}\n`);
    expect(await readRun(path)).toMatchObject({ state: 'failed', message: 'the disk is full' });
    await appendFile(join(path, 'events.jsonl'), `${JSON.stringify(lines[1])}\n`);
    const { state, message, resumed } = await readRun(path);
    expect([state, message, resumed]).toEqual(['running', undefined, 1]);
  });

  it('takes a last line that was cut off for one that is not there yet', async () => {
    await writeSampleRun(path, { until: 'pruning' });
    const whole = await readRun(path);
    await appendFile(join(path, 'events.jsonl'), '{"seconds":99,"type":"eval');
    expect(await readRun(path)).toEqual(whole);
  });

  it('names the file and the line that are damaged', async () => {
    await writeSampleRun(path);
    const file = join(path, 'events.jsonl');
    const lines = (await readFile(file, 'utf8')).split('\n');
    lines[2] = '{"seconds":2,"type":"step"}';
    await writeFile(file, lines.join('\n'));
    await expect(readRun(path)).rejects.toThrow(`Line 3 of '${file}' is damaged: step: `);
    await expect(readRun(tmpdir())).rejects.toThrow(/to be the folder of a run, with config\.json and events\.jsonl/);
  });

  it('stays small and quick however many steps there were', async () => {
    const run = await readRun(await writeSampleRun(path, { steps: 100_000 }));
    expect(run.curves[0]!.stretch).toBe(256);
    expect(run.curves[0]!.steps.total.length).toBe(Math.ceil(100_000 / 256));
    expect(run.curves[0]!.steps.total[0]).toBeCloseTo(3 - 127.5 / 100_000, 4);
    expect(JSON.stringify(run).length).toBeLessThan(40_000);
  });
});

it('knows from the configuration how many epochs a training has, before the first has ended', async () => {
  await writeSampleRun(path, { until: 'training' });
  const file = join(path, 'events.jsonl');
  const [started, step] = (await readFile(file, 'utf8')).split('\n');
  await writeFile(file, `${started}\n${step}\n`);
  const config = JSON.parse(await readFile(join(path, 'config.json'), 'utf8'));
  const epochs = async (change: object) => {
    await writeFile(join(path, 'config.json'), JSON.stringify({ ...config, ...change }));
    return (await readRun(path)).curves.map((curve) => curve.epochs);
  };
  expect(await epochs({ config: { ...config.config, training: { epochs: 30 } } })).toEqual([30]);
  // As train and finetune say it.
  expect(await epochs({ config: undefined, training: { epochs: 20 } })).toEqual([20]);
});
