import { readFile } from 'node:fs/promises';
import type { Evaluation, LayerScores, NetworkCost, PruningEvent, Selection, StepEvent } from '@secateur/core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PRESETS } from './presets.ts';
import { RunForecast } from './run-forecast.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

const cost = (macs: number) => ({ macs, parameters: macs }) as NetworkCost;
const evaluation = { accuracy: 0.9 } as Evaluation;
const pass = (seconds: number) => vi.advanceTimersByTime(1000 * seconds);

type Phase = 'train' | 'fine-tune' | 'final-tune';

/** What is told after each epoch, and what was true. */
class Story {
  readonly forecast: RunForecast;
  readonly told: {
    readonly phase: Phase;
    readonly epoch: number;
    readonly at: number;
    readonly left: number | undefined;
  }[] = [];
  readonly #begun = performance.now();

  constructor(forecast: RunForecast) {
    this.forecast = forecast;
  }

  train(phase: Phase, { epochs, stepsPerEpoch, secondsOf }: Pacing, iteration = 1): void {
    for (let step = 0; step < epochs * stepsPerEpoch; step++) {
      pass(secondsOf(step));
      const epoch = Math.floor(step / stepsPerEpoch);
      const event = { type: 'step', epoch, step, steps: epochs * stepsPerEpoch, images: 10 } as StepEvent;
      this.forecast.add({ type: 'training', phase, iteration, event } as Parameters<RunForecast['add']>[0]);
      if ((step + 1) % stepsPerEpoch !== 0) continue;
      this.told.push({ phase, epoch, at: this.elapsed, left: this.forecast.secondsLeft() });
    }
  }

  add(event: PruningEvent, seconds: number): void {
    pass(seconds);
    this.forecast.add(event);
  }

  get elapsed(): number {
    return (performance.now() - this.#begun) / 1000;
  }
}

interface Pacing {
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  readonly secondsOf: (step: number) => number;
}

const target = (value: number) => ({ kind: 'macs', value, goal: 500 }) as const;
const pruned = (iteration: number, macs: number): PruningEvent => ({
  type: 'pruned',
  iteration,
  selection: {} as Selection,
  plan: { remove: {} } as Extract<PruningEvent, { type: 'pruned' }>['plan'],
  cost: cost(macs),
  target: target(macs),
});
const evaluated = (iteration: number, macs: number): PruningEvent => ({
  type: 'evaluated',
  iteration,
  evaluation,
  cost: cost(macs),
  withinTolerance: true,
  model: {} as LayersModel,
});
const scored = (iteration: number): PruningEvent => ({ type: 'scored', iteration, scores: [] as LayerScores[] });

const CONFIG = {
  ...PRESETS.quickstart,
  training: { ...PRESETS.quickstart.training, epochs: 6 },
  fineTune: { ...PRESETS.quickstart.fineTune, epochs: 2 },
  finalTune: { ...PRESETS.quickstart.finalTune, epochs: 4 },
  target: { kind: 'macs', removed: 0.5, atMost: null, batchSize: 1 },
} as const;
const IMAGES = { training: 1000, tuning: 1000, scoring: 100, validation: 200, test: 300, verified: 100 };

/** A run of two removals, to 700 and to 500 of 1000 MACs, on a machine whose pace is known. */
function runAt(secondsOf: (step: number, share: number) => number, { config = CONFIG, teacher = 0 } = {}): Story {
  const story = new Story(new RunForecast(config, { images: IMAGES, unpruned: cost(1000) }));
  const speed = (share: number) => 0.3 + 0.7 * share;
  const training = (epochs: number, share: number): Pacing => ({
    epochs,
    stepsPerEpoch: 100,
    secondsOf: (step) => secondsOf(step, speed(share) + (share < 1 ? teacher : 0)),
  });
  const image = (secondsOf(50, 1) + secondsOf(51, 1)) / 20;
  const forward = (images: number, share: number) => (images * image * speed(share)) / 3;
  story.train('train', training(6, 1));
  story.add({ type: 'baseline', evaluation, cost: cost(1000), target: target(1000) }, forward(200, 1));
  story.add(scored(1), 100 * image);
  story.add(pruned(1, 700), 0);
  story.train('fine-tune', training(2, 0.7), 1);
  story.add(evaluated(1, 700), forward(200, 0.7));
  story.add(scored(2), 100 * image);
  story.add(pruned(2, 500), 0);
  story.train('final-tune', training(4, 0.5), 2);
  story.add(evaluated(2, 500), forward(200, 0.5));
  pass(forward(300, 1) + forward(300, 0.5) + forward(2 * 100, 0.5) + 1);
  return story;
}

function expectHonest({ told, elapsed }: Pick<Story, 'told' | 'elapsed'>): void {
  for (const { phase, epoch, at, left } of told) {
    const label = `${phase}, epoch ${epoch + 1}: ${left} of ${elapsed - at}`;
    expect(Math.abs(left! - (elapsed - at)), label).toBeLessThan(0.2 * (elapsed - at));
  }
}

describe('after the first epoch and ever after, within 20 % of what the whole run still takes', () => {
  it.each<[string, (step: number, share: number) => number]>([
    ['even steps', (_, share) => 0.5 * share],
    ['a first step of half a minute', (step, share) => (step === 0 && share === 1 ? 30 : 0.5 * share)],
    ['steps that take turns in being fast', (step, share) => (step % 2 ? 0.2 : 0.8) * share],
  ])('%s', (_, secondsOf) => {
    const story = runAt(secondsOf);
    expect(story.told.length).toBe(12);
    expectHonest(story);
  });

  it('with a teacher, who sees all images of the tunings too', () => {
    const config = { ...CONFIG, keeping: { ...CONFIG.keeping, teacherWeight: 0.9 } };
    expectHonest(runAt((_, share) => 0.5 * share, { config, teacher: 1 / 3 }));
  });

  it('of the run that the README shows, as it went', async () => {
    const read = async (name: string) =>
      readFile(new URL(`../../../../docs/quickstart/${name}`, import.meta.url), 'utf8');
    const { config } = JSON.parse(await read('config.json'));
    const { data, unpruned } = JSON.parse(await read('summary.json'));
    const events = (await read('events.jsonl'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const images = { ...data.images, tuning: data.images.training, verified: 1000 };
    const forecast = new RunForecast(config, { images, unpruned });
    const steps = Math.ceil(images.training / config.batchSize);
    const told: Story['told'] = [];
    let now = 0;
    for (const { seconds, ...event } of events) {
      const spent = seconds - now;
      now = seconds;
      if (event.type === 'epoch') {
        // Single steps are left out of that file: they were about as long as each other.
        for (let step = 0; step < steps; step++) {
          pass(spent / steps);
          const at = { epoch: event.epoch, step: event.epoch * steps + step, steps: event.epochs * steps };
          const one = { type: 'step', images: config.batchSize, ...at } as StepEvent;
          forecast.add({ ...event, type: 'training', event: one } as Parameters<RunForecast['add']>[0]);
        }
        told.push({ phase: event.phase, epoch: event.epoch, at: seconds, left: forecast.secondsLeft() });
        continue;
      }
      pass(spent);
      const measured = { cost: cost(event.macs), target: event.target };
      if (['baseline', 'pruned', 'evaluated'].includes(event.type)) forecast.add({ ...event, ...measured });
    }
    expect(told.length).toBe(events.filter(({ type }) => type === 'epoch').length);
    expect(told.length).toBeGreaterThan(15);
    expectHonest({ told, elapsed: now });
  });
});

it('says nothing where no target tells how many iterations there will be, until the last training', () => {
  const config = { ...CONFIG, target: { ...CONFIG.target, removed: 1 } };
  const forecast = new RunForecast(config, { images: IMAGES, unpruned: cost(1000) });
  const story = new Story(forecast);
  const pacing = { epochs: 6, stepsPerEpoch: 100, secondsOf: () => 0.5 };
  story.train('train', pacing);
  story.add({ type: 'baseline', evaluation, cost: cost(1000), target: { ...target(1000), goal: 0 } }, 1);
  story.add(pruned(1, 700), 1);
  story.train('fine-tune', { ...pacing, epochs: 2 });
  expect(story.told.map(({ left }) => left)).toEqual(Array(8).fill(undefined));
  story.add(evaluated(1, 700), 1);
  story.train('final-tune', { ...pacing, epochs: 4 });
  expect(story.told.slice(8, -1).every(({ left }) => left! > 50)).toBe(true);
});

it('counts what an earlier process has done', () => {
  const iterations = [{ iteration: 1, removedFilters: 5, macs: 700, validationAccuracy: 0.9, withinTolerance: true }];
  const forecast = new RunForecast(CONFIG, { images: IMAGES, unpruned: cost(1000), iterations });
  const story = new Story(forecast);
  story.add({ type: 'resumed', iteration: 2, evaluation, cost: cost(1000), target: target(1000) }, 1);
  story.add(scored(2), 1);
  story.add(pruned(2, 500), 1);
  story.train('final-tune', { epochs: 4, stepsPerEpoch: 100, secondsOf: () => 0.5 });
  // 300 steps, and at a third of a step's price both networks' passes over the test images, and the pruned one's over those for validation
  // and twice over those that its ONNX file is compared on.
  const image = 0.05 / (0.3 + 0.7 * 0.5);
  const passes = (image / 3) * ((200 + 300 + 2 * 100) * 0.65 + 300);
  expect(story.told[0]!.left).toBeCloseTo(150 + passes + 1, 0);
});
