import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { applyPlan, countCost, type PruningPlan } from '@secateur/core';
import { readOnnxMetadata, verify } from '@secateur/export';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadModel } from '../src/run/model-folder.ts';
import type { Summary } from '../src/run/summary.ts';
import { readEvents } from './read-events.ts';
import { type Outcome, secateur } from './run-secateur.ts';
import { writeTinyCifar10 } from './tiny-cifar.ts';

let data: string;
let folder: string;
beforeAll(async () => {
  data = await writeTinyCifar10();
  folder = await mkdtemp(join(tmpdir(), 'secateur-run-'));
});

const TINY = {
  width: 0.0625,
  trainingImages: null,
  testImages: null,
  validationFraction: 0.2,
  imagesPerClass: 5,
  batchSize: 25,
  training: { epochs: 4 },
  fineTune: { epochs: 1 },
  finalTune: { epochs: 1 },
  selection: { maxFraction: 0.2 },
  tolerance: 1,
  target: { removed: 0.35 },
  maxIterations: 4,
  goals: { macsRemoved: 0.3, minutes: null },
};

async function run(name: string, config: object, ...flags: string[]): Promise<Outcome & { readonly out: string }> {
  const [out, file] = [join(folder, name), join(folder, `${name}.json`)];
  await writeFile(file, JSON.stringify(config));
  const fixed = ['--preset', 'smoke', '--config', file, '--data', data, '--out', out, '--threads', '1'];
  return { out, ...(await secateur('run', ...fixed, ...flags)) };
}

const readJson = async (...path: string[]) => JSON.parse(await readFile(join(...path), 'utf8'));
describe('secateur run on a small data set', () => {
  let outcome: Outcome & { readonly out: string };
  let summary: Summary;
  beforeAll(async () => {
    outcome = await run('whole', TINY, '--json', '--seed', '3');
    summary = JSON.parse(outcome.stdout);
  });

  it('succeeds, and gives on stdout what it writes to summary.json', async () => {
    expect(outcome.code, outcome.stderr).toBe(0);
    expect(summary).toEqual(await readJson(outcome.out, 'summary.json'));
  });

  it('writes a whole run directory and leaves no temporary file', async () => {
    const plans = (await readdir(outcome.out)).filter((name) => name.startsWith('plan-'));
    expect(plans).toHaveLength(summary.iterations.length);
    expect((await readdir(outcome.out)).filter((name) => !plans.includes(name)).sort()).toEqual([
      'checkpoints',
      'config.json',
      'events.jsonl',
      'model',
      'model.onnx',
      'report.html',
      'summary.json',
      'unpruned.onnx',
    ]);
    expect((await readdir(join(outcome.out, 'checkpoints'))).sort()).toEqual(['best', 'unpruned']);
  });

  it('keeps the configuration that it ran with: preset, file and flags', async () => {
    const { config, commandLine, versions } = await readJson(outcome.out, 'config.json');
    expect(config).toMatchObject({
      ...TINY,
      goals: { ...TINY.goals, logitDifference: 1e-3 },
      seed: 3,
      network: 'vgg16',
    });
    expect(commandLine[0]).toBe('run');
    expect(versions.node).toBe(process.version);
  });

  it('reports the networks as they are', async () => {
    const model = await loadModel(outcome.out);
    const unpruned = await loadModel(join(outcome.out, 'checkpoints', 'unpruned'));
    const [before, after] = [countCost(unpruned), countCost(model)];
    expect([summary.unpruned.macs, summary.pruned.macs]).toEqual([before.macs, after.macs]);
    expect(summary.change.macsRemoved).toBeCloseTo(1 - after.macs / before.macs, 12);
    expect(summary.change.macsRemoved).toBeGreaterThanOrEqual(0.35);
    const widths = model.layers
      .filter((layer) => layer.getClassName() === 'Conv2D')
      .map((layer) => layer.outputShape[3]);
    expect(summary.pruned.filters.map(({ filters }) => filters)).toEqual(widths);
    expect(summary.pruned.test.classes.map(({ images }) => images)).toEqual(Array.from({ length: 10 }, () => 5));
    expect(summary.unpruned.onnxBytes).toBe((await readFile(join(outcome.out, 'unpruned.onnx'))).length);
  });

  it('stores plans that lead from the unpruned network to the pruned one', async () => {
    let model = await loadModel(join(outcome.out, 'checkpoints', 'unpruned'));
    for (const { iteration } of summary.iterations) {
      const plan: PruningPlan = await readJson(outcome.out, `plan-${iteration}.json`);
      model = await applyPlan(model, plan);
    }
    expect(countCost(model).macs).toBe(summary.pruned.macs);
  });

  it('prune replays plans that followed each other at once', async () => {
    const from = join(outcome.out, 'checkpoints', 'unpruned');
    const [first, second, atOnce] = ['step-1', 'step-2', 'both-steps'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    const prune = async (model: string, out: string, ...flags: string[]) => {
      const { code, stderr } = await secateur('prune', model, ...flags, '--out', out, '--threads', '1');
      expect(code, stderr).toBe(0);
    };
    const choose = ['--criterion', 'l1-norm', '--strategy', 'percentage', '--max-fraction', '0.2'];
    await prune(from, first, ...choose);
    await prune(first, second, ...choose);
    await prune(from, atOnce, ...[first, second].flatMap((out) => ['--plan', join(out, 'plan.json')]));
    const weights = async (path: string) =>
      (await loadModel(path)).weights.map((weight) => [weight.originalName, weight.read().dataSync()]);
    expect(await weights(atOnce)).toEqual(await weights(second));
    expect((await loadModel(atOnce)).countParams()).toBeLessThan((await loadModel(first)).countParams());
  });

  it('verified the ONNX file, which is the saved model and describes itself', async () => {
    expect(summary.verification).toMatchObject({ images: 50, passed: true });
    expect(summary.verification.maxAbsDifference).toBeLessThan(1e-3);
    const onnx = await readFile(join(outcome.out, 'model.onnx'));
    const { classNames, accuracy, pruning } = readOnnxMetadata(onnx);
    expect(classNames).toHaveLength(10);
    expect(accuracy).toBe(summary.pruned.test.accuracy);
    expect(pruning!.map(({ macs }) => macs)).toEqual(summary.iterations.map(({ macs }) => macs));
    expect(readOnnxMetadata(await readFile(join(outcome.out, 'unpruned.onnx'))).accuracy).toBe(
      summary.unpruned.test.accuracy,
    );
    const images = Float32Array.from({ length: 3 * 32 * 32 * 3 }, (_, i) => Math.sin(i));
    expect(await verify(await loadModel(outcome.out), onnx, { images, shape: [3, 32, 32, 3] })).toMatchObject({
      passed: true,
      sameClass: 3,
    });
  });

  it('exports its result in other forms, with the same description', async () => {
    const file = join(folder, 'other.onnx');
    const exportAs = async (...flags: string[]) => {
      const { code, stderr } = await secateur('export', outcome.out, '--out', file, '--data', data, ...flags);
      expect(code, stderr).toBe(0);
      return readOnnxMetadata(await readFile(file));
    };
    const { accuracy, pruning } = readOnnxMetadata(await readFile(join(outcome.out, 'model.onnx')));
    const nhwc = await exportAs('--input-layout', 'NHWC', '--opset', '21', '--images', '10');
    expect(nhwc).toMatchObject({ opset: 21, input: { dims: ['batch', 32, 32, 3] }, accuracy, pruning });
    const pixels = await exportAs('--preprocess', '--no-verify');
    expect(pixels).toMatchObject({ input: { type: 'uint8' }, output: { name: 'probabilities' }, accuracy, pruning });
  });

  it('records every step, score and decision as it happened', async () => {
    const events = await readEvents(outcome.out);
    const steps = events.filter(({ type, phase }) => type === 'step' && phase === 'train');
    expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: 4 * 8 }, (_, step) => step));
    expect(steps.every(({ total }) => Number.isFinite(total))).toBe(true);
    const scored = events.find(({ type }) => type === 'scored');
    expect(scored.scores).toHaveLength(13);
    expect(scored.scores[0].numerators).toHaveLength(scored.scores[0].filters);
    const kinds = events.map(({ type }) => type).filter((type) => type !== 'step' && type !== 'epoch');
    const loop = summary.iterations.flatMap(() => ['scored', 'pruned', 'evaluated']);
    expect(kinds).toEqual(['started', 'baseline', ...loop, 'finished', 'completed']);
    const seconds = events.map((event) => event.seconds);
    expect(seconds).toEqual(seconds.toSorted((a, b) => a - b));
  });

  it('reports the accuracy that onnxruntime finds too, class by class', async () => {
    const model = join(outcome.out, 'model.onnx');
    const { stdout } = await secateur('evaluate', model, '--data', data, '--json');
    const { accuracy, loss, classes, confusion } = JSON.parse(stdout);
    const { test } = summary.pruned;
    expect({ accuracy, classes, confusion }).toEqual({
      accuracy: test.accuracy,
      classes: test.classes,
      confusion: test.confusion,
    });
    expect(loss).toBeCloseTo(test.loss, 4);
  });
});

it('prints a report for people, and ends with 3 when a goal was missed', async () => {
  const config = { ...TINY, training: { epochs: 1 }, target: { removed: 0.99 }, maxIterations: 1 };
  const { code, stdout } = await run('missed', { ...config, goals: { macsRemoved: 0.99 } });
  expect(code).toBe(3);
  expect(stdout).toMatch(/^MACs +\S+ [kM] +\S+ [kM] +-\d+\.\d %$/m);
  expect(stdout).toMatch(/^MISSED +MACs removed +\d+\.\d\d % +at least 99\.00 % +\d+\.\d\d points short$/m);
  expect(stdout).toMatch(/^conv13 +32 +\d+ +━/m);
});

it('gives the same network for the same seed, bit for bit', async () => {
  const config = { ...TINY, training: { epochs: 1 }, maxIterations: 1 };
  const weights = async (name: string, seed: string) => {
    const { out } = await run(name, config, '--seed', seed);
    return readFile(join(out, 'model', 'weights.bin'));
  };
  const first = await weights('first', '5');
  expect(first.equals(await weights('again', '5'))).toBe(true);
  expect(first.equals(await weights('other', '6'))).toBe(false);
});

it('stops at a loss that is not finite, says where, and keeps the last good weights', async () => {
  const { code, stderr, out } = await run('diverged', TINY, '--learning-rate', '1e30');
  expect(code).toBe(1);
  expect(stderr).toMatch(/error: Expected a finite loss, but it was (NaN|Infinity) at step \d+ of 32 \(epoch 1\)/);
  expect(stderr).toContain(`The last good weights are in '${join(out, 'checkpoints', 'last-good')}'.`);
  const lastGood = join(out, 'checkpoints', 'last-good');
  const model = await loadModel(lastGood);
  const weights = model.weights.map((weight) => weight.read().dataSync());
  expect(weights.every((values) => values.every((value) => Math.abs(value) < 10))).toBe(true);
  const evaluated = await secateur('evaluate', lastGood, '--data', data, '--json');
  expect(JSON.parse(evaluated.stdout).loss).toBeLessThan(10);
  expect((await readEvents(out)).at(-1)).toMatchObject({ type: 'failed' });
});

it('keeps the last network within tolerance when fine-tuning diverges', async () => {
  const schedule = { kind: 'constant', rate: 1e30 };
  const { code, stderr, out } = await run('tuned-away', {
    ...TINY,
    training: { epochs: 1 },
    fineTune: { epochs: 1, schedule },
  });
  expect(code).toBe(1);
  expect(stderr).toMatch(/error: Expected a finite loss/);
  const [good, unpruned] = await Promise.all(
    ['last-good', 'unpruned'].map((name) => readFile(join(out, 'checkpoints', name, 'weights.bin'))),
  );
  expect(good!.equals(unpruned!)).toBe(true);
});

it('makes a specialist of some classes, whose folder knows them', async () => {
  const config = { ...TINY, training: { epochs: 2 }, maxIterations: 1, target: { kind: 'params', removed: 0.1 } };
  const { code, stdout, stderr, out } = await run(
    'specialist',
    { ...config, goals: { macsRemoved: null } },
    ...['--classes', 'dog,cat', '--criterion', 'graded', '--round-to', '2', '--scope', 'layer', '--json'],
  );
  expect(code, stderr).toBe(0);
  const summary: Summary = JSON.parse(stdout);
  expect(summary.data).toEqual({
    name: 'CIFAR-10 (cat, dog)',
    images: { training: 40, validation: 10, scoring: 10, test: 10 },
  });
  expect(summary.pruned.test.classes.map(({ className, images }) => [className, images])).toEqual([
    ['cat', 5],
    ['dog', 5],
  ]);
  expect(summary.unpruned.filters[0]).toEqual({ layer: 'conv1', filters: 4 });
  expect(summary.pruned.filters.every(({ filters }) => filters % 2 === 0)).toBe(true);
  expect(summary).toMatchObject({ endReason: 'target reached', target: { kind: 'params' } });
  expect(summary.target!.value).toBeLessThanOrEqual(0.9 * summary.unpruned.parameters);
  const model = await loadModel(out);
  expect(model.outputs[0]!.shape).toEqual([null, 2]);
  expect(readOnnxMetadata(await readFile(join(out, 'model.onnx'))).classNames).toEqual(['cat', 'dog']);
  for (const saved of [out, join(out, 'model.onnx')]) {
    const evaluated = await secateur('evaluate', saved, '--data', data, '--json');
    expect(JSON.parse(evaluated.stdout)).toMatchObject({ images: 10, accuracy: summary.pruned.test.accuracy });
  }
});

it('goes back and tries smaller steps when a class falls, and says what ended the run', async () => {
  const wrecking = { epochs: 1, schedule: { kind: 'constant', rate: 3 } };
  const { code, stdout, stderr, out } = await run(
    'guarded',
    { ...TINY, fineTune: wrecking, finalTune: wrecking, goals: { macsRemoved: null } },
    ...['--class-tolerance', '0', '--smaller-steps', '1', '--json'],
  );
  expect(code, stderr).toBe(0);
  const summary: Summary = JSON.parse(stdout);
  expect(summary).toMatchObject({ endReason: 'class tolerance exceeded', violation: { guard: 'classTolerance' } });
  expect(summary.iterations.map(({ iteration, withinTolerance }) => [iteration, withinTolerance])).toEqual([
    [1, false],
    [1, false],
  ]);
  const [whole, half] = summary.iterations.map(({ removedFilters }) => removedFilters);
  expect(half).toBe(Math.floor(whole! / 2));
  const back = (await readEvents(out)).filter(({ type }) => type === 'rolled-back');
  expect(back).toMatchObject([{ iteration: 1, maxFilters: half, macs: summary.unpruned.macs }]);
  expect(stderr).toContain(`back to the last good network, for a step of at most ${half} filters`);
  expect(summary.pruned.macs).toBe(summary.unpruned.macs);
});

it('prunes units of dense layers too, scores them alone, and tells what is left of them', async () => {
  const config = { ...TINY, training: { epochs: 1 }, maxIterations: 1, goals: { macsRemoved: null } };
  const { code, stdout, stderr, out } = await run('dense', config, '--kinds', 'conv,dense', '--json');
  expect(code, stderr).toBe(0);
  const { unpruned, pruned }: Summary = JSON.parse(stdout);
  const model = await loadModel(out);
  const widths = (className: string) =>
    model.layers.filter((layer) => layer.getClassName() === className).map((layer) => layer.outputShape.at(-1));
  const [hidden] = widths('Dense').slice(0, -1);
  expect(pruned.filters.map(({ filters }) => filters)).toEqual([...widths('Conv2D'), hidden]);
  expect(unpruned.filters.map(({ layer }) => layer)).toEqual(pruned.filters.map(({ layer }) => layer));
  expect(await readFile(join(out, 'report.html'), 'utf8')).toContain(`"${unpruned.filters.at(-1)!.layer}"`);

  const score = (...flags: string[]) => secateur('score', out, '--data', data, '--images-per-class', '2', ...flags);
  const scored = await score('--kinds', 'dense', '--json');
  expect(scored.code, scored.stderr).toBe(0);
  const { layers } = JSON.parse(scored.stdout);
  expect(layers).toMatchObject([{ layer: unpruned.filters.at(-1)!.layer, filters: hidden }]);
  expect(await score('--kinds', 'attention')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('No attention layer of this network can lose filters. Choose others with --kinds.'),
  });
});

it('does not prune what is below the floor of a class to begin with', async () => {
  const config = { ...TINY, training: { epochs: 1 }, goals: { macsRemoved: null } };
  const { stdout } = await run('floor', config, '--class-floor', '1', '--learning-rate', '0.001', '--json');
  const summary: Summary = JSON.parse(stdout);
  expect(summary).toMatchObject({ endReason: 'class below its floor', iterations: [], violation: { atLeast: 1 } });
});

it('aims at a latency that onnxruntime measures', async () => {
  const config = { ...TINY, training: { epochs: 1 }, maxIterations: 1, goals: { macsRemoved: null } };
  const flags = ['--target-kind', 'latency', '--target', '0', '--latency-batch', '4', '--json'];
  const { code, stdout, stderr } = await run('latency', config, ...flags);
  expect(code, stderr).toBe(0);
  const summary: Summary = JSON.parse(stdout);
  expect(summary).toMatchObject({ endReason: 'target reached', target: { kind: 'latency' }, iterations: [] });
  expect(summary.target!.value).toBeGreaterThan(0);
  expect(summary.target!.goal).toBe(summary.target!.value);
});
