import type { StepEvent } from '@secateur/core';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Terminal } from './terminal.ts';
import { trainingProgress } from './training-progress.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

const STEPS_PER_EPOCH = 100;
const EPOCHS = 5;

/** Seconds that a training of known pace is said to take still, after each step. */
function estimates({
  from = 0,
  secondsOf,
}: {
  from?: number;
  secondsOf: (step: number) => number;
}): Map<number, number> {
  const said = new Map<number, number>();
  let step = from;
  const stderr = {
    isTTY: true,
    columns: 200,
    write(text: string) {
      const left = /(\d+):(\d+) left/.exec(text);
      if (left) said.set(step, 60 * Number(left[1]) + Number(left[2]));
    },
  };
  const terminal = new Terminal({ stdout: stderr, stderr, env: { NO_COLOR: '1' } });
  const show = trainingProgress(terminal, { label: 'train', epochs: EPOCHS });
  for (; step < STEPS_PER_EPOCH * EPOCHS; step++) {
    vi.advanceTimersByTime(1000 * secondsOf(step));
    const epoch = Math.floor(step / STEPS_PER_EPOCH);
    const terms = { crossEntropy: 1, distillation: 0, l1: 0, orthogonality: 0, total: 1 };
    const counted = { learningRate: 0.1, images: 10, correct: 5, milliseconds: 1, teacherMilliseconds: 0 };
    const event: StepEvent = { type: 'step', epoch, step, steps: STEPS_PER_EPOCH * EPOCHS, ...terms, ...counted };
    show(event);
    if ((step + 1) % STEPS_PER_EPOCH === 0) {
      const means = { loss: 1, crossEntropy: 1, accuracy: 0.5, imagesPerSecond: 1 };
      show({ type: 'epoch', epoch, epochs: EPOCHS, ...means });
    }
  }
  return said;
}

it.each<[string, { from?: number; secondsOf: (step: number) => number }]>([
  ['steps of the same length', { secondsOf: () => 2 }],
  ['a first step that takes a minute', { secondsOf: (step) => (step === 0 ? 60 : 1) }],
  ['steps that take turns in being fast', { secondsOf: (step) => (step % 2 === 0 ? 0.5 : 1.5) }],
  ['a training that was resumed late', { from: 350, secondsOf: (step) => (step === 350 ? 30 : 1) }],
])('says within 20 %% after an epoch how long it still takes: %s', (_, { from = 0, secondsOf }) => {
  const said = estimates({ from, secondsOf });
  const steps = STEPS_PER_EPOCH * EPOCHS;
  const checked = [...said].filter(([step]) => step >= from + STEPS_PER_EPOCH && step < steps - 10);
  expect(checked.length).toBeGreaterThan(30);
  for (const [step, seconds] of checked) {
    let left = 0;
    for (let later = step + 1; later < steps; later++) left += secondsOf(later);
    expect(Math.abs(seconds - left), `step ${step}`).toBeLessThan(0.2 * left);
  }
});
