import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Names that would do harm where they were read as HTML, or as the end of a script. */
export const NASTY = [
  'cat',
  '</script><script>globalThis.harmed=1</script>',
  '"><img src=x onerror=globalThis.harmed=1>',
];

export interface SampleOptions {
  readonly classNames?: readonly string[];
  readonly steps?: number;
  /** How far the run has got. */
  readonly until?: 'training' | 'pruning' | 'end';
  readonly seed?: number;
}

/** A run directory with numbers that can be checked by hand: two layers of 4 and 6 filters, three classes, two iterations. */
export async function writeSampleRun(
  path: string,
  { classNames = NASTY, steps = 4, until = 'end', seed = 7 }: SampleOptions = {},
): Promise<string> {
  await mkdir(path, { recursive: true });
  const events = sampleEvents(classNames, { steps, until });
  await writeFile(
    join(path, 'events.jsonl'),
    events.map((event, i) => `${JSON.stringify({ seconds: i, ...event })}\n`).join(''),
  );
  await writeFile(join(path, 'config.json'), JSON.stringify(sampleConfig(seed)));
  if (until === 'end') await writeFile(join(path, 'summary.json'), JSON.stringify(sampleSummary(classNames)));
  return path;
}

function sampleConfig(seed: number) {
  return {
    command: 'run',
    preset: 'smoke',
    config: {
      network: 'vgg16',
      width: 0.5,
      seed,
      criterion: { kind: 'relative', rho: 0.5 },
      selection: { strategy: 'both', threshold: 0.5 },
      tolerance: 0.1,
      target: { kind: 'macs', removed: 0.5, atMost: null },
    },
    engine: { name: 'torch', description: 'libtorch 1.13.0', threads: 1, versions: { libtorch: '1.13.0' } },
    versions: { secateur: '0.0.0', node: 'v20.9.0' },
    commandLine: ['run', '--preset', 'smoke'],
    startedAt: '2026-01-02T03:04:05.678Z',
  };
}

/** 10 images a class; `right` of them are classified rightly, the others go to the next class. */
function results(classNames: readonly string[], right: readonly number[]) {
  const all = 10 * classNames.length;
  return {
    images: all,
    accuracy: right.reduce((a, b) => a + b, 0) / all,
    loss: 0.5,
    classes: classNames.map((className, i) => ({ className, correct: right[i]!, images: 10 })),
    confusion: classNames.map((_, label) =>
      classNames.map((_, predicted) =>
        predicted === label ? right[label]! : predicted === (label + 1) % classNames.length ? 10 - right[label]! : 0,
      ),
    ),
  };
}

function sampleEvents(classNames: readonly string[], { steps, until }: { steps: number; until: string }): object[] {
  const step = (index: number, of: number) => ({
    type: 'step',
    epoch: Math.floor((2 * index) / of),
    step: index,
    steps: of,
    learningRate: 0.1,
    images: 10,
    milliseconds: 5,
    crossEntropy: 2 - index / of,
    distillation: 0,
    l1: 100,
    orthogonality: 10,
    total: 3 - index / of,
    correct: 5,
  });
  const epoch = { type: 'epoch', epochs: 2, loss: 2.5, crossEntropy: 1.5, accuracy: 0.5, imagesPerSecond: 100 };
  const scores = (layer: string, numerators: readonly number[]) => ({
    layer,
    filters: numerators.length,
    classes: 3,
    numerators,
    denominator: 1,
    tieBreak: numerators,
    classMatrix: classNames.flatMap((_, c) => numerators.map((score) => (score > c ? 1 + c : 0))),
  });
  const training = [
    { type: 'started', at: '2026-01-02T03:04:05.678Z' },
    ...Array.from({ length: steps }, (_, i) => ({ ...step(i, steps), phase: 'train' })),
    { ...epoch, epoch: 0, phase: 'train' },
    { ...epoch, epoch: 1, phase: 'train', accuracy: 0.75, secondsLeft: 40 },
  ];
  if (until === 'training') return training;
  const iteration = (n: number, tuning: string) => ({ iteration: n, phase: tuning });
  const pruning = [
    ...training,
    { type: 'baseline', evaluation: results(classNames, [9, 8, 7]), macs: 1000, parameters: 400 },
    { type: 'scored', iteration: 1, scores: [scores('conv1', [0, 1, 3, 3]), scores('conv2', [0, 0, 2, 3, 3, 3])] },
    {
      type: 'pruned',
      iteration: 1,
      removed: [
        { layer: 'conv1', filter: 0, score: 0 },
        { layer: 'conv2', filter: 0, score: 0 },
        { layer: 'conv2', filter: 1, score: 0 },
      ],
      macs: 600,
      parameters: 250,
    },
    { ...step(0, 2), ...iteration(1, 'fine-tune') },
    { ...epoch, epoch: 0, epochs: 1, ...iteration(1, 'fine-tune') },
    {
      type: 'evaluated',
      iteration: 1,
      evaluation: results(classNames, [9, 8, 6]),
      withinTolerance: true,
      macs: 600,
      parameters: 250,
    },
    { type: 'something new', of: 'another version' },
  ];
  if (until === 'pruning') return pruning;
  return [
    ...pruning,
    { type: 'scored', iteration: 2, scores: [scores('conv1', [1, 3, 3]), scores('conv2', [1, 3, 3, 3])] },
    { type: 'pruned', iteration: 2, removed: [{ layer: 'conv2', filter: 0, score: 1 }], macs: 500, parameters: 200 },
    { ...step(0, 2), ...iteration(2, 'fine-tune') },
    {
      type: 'evaluated',
      iteration: 2,
      evaluation: results(classNames, [2, 2, 2]),
      withinTolerance: false,
      macs: 500,
      parameters: 200,
    },
    { type: 'finished', reason: 'tolerance exceeded', plans: 1 },
    { type: 'completed', passed: true },
  ];
}

function sampleSummary(classNames: readonly string[]) {
  const filters = (widths: readonly number[]) => widths.map((count, i) => ({ layer: `conv${i + 1}`, filters: count }));
  const latency = (medianMs: number) => ({ medianMs, p95Ms: 2 * medianMs, runs: 50 });
  return {
    version: 1,
    data: { name: 'tiny', images: {} },
    unpruned: {
      macs: 1000,
      parameters: 400,
      filters: filters([4, 6]),
      test: results(classNames, [9, 9, 9]),
      onnxBytes: 2000,
      latency: latency(1),
    },
    pruned: {
      macs: 600,
      parameters: 250,
      filters: filters([3, 4]),
      test: results(classNames, [10, 9, 7]),
      onnxBytes: 1500,
      latency: latency(0.5),
    },
    verification: { images: 30, maxAbsDifference: 1e-6, passed: true },
    goals: [{ name: 'MACs removed', unit: 'share', sense: 'at least', goal: 0.5, value: 0.4, spare: -0.1, met: false }],
    seconds: { training: 61.5, test: 0.5, afterData: 70 },
  };
}
