import { describe, expect, test } from 'vitest';
import { findGrowth, residentGrowth, type Snapshot } from './growth.ts';

const idle: Snapshot = { tensors: 97, handles: 98, residentBytes: 200e6 };
const training: Snapshot = { tensors: 253, handles: 254, residentBytes: 300e6 };
const steady = { beforeTraining: idle, duringTraining: [training, training], afterTraining: idle };
const until = (atEnd: Snapshot) => ({ ...steady, duringTraining: [training, atEnd] });

test('equal counts and 2 % more resident memory are no growth', () => {
  const measurement = until({ ...training, residentBytes: 306e6 });
  expect(findGrowth({ ...measurement, afterTraining: { ...idle, residentBytes: 306e6 } })).toEqual([]);
});

test('one tensor more during training is growth', () => {
  expect(findGrowth(until({ ...training, tensors: 254 }))).toEqual([
    'Expected as many tensors at the last step as after warm-up, but 253 became 254.',
  ]);
});

test('one native handle more after training is growth', () => {
  expect(findGrowth({ ...steady, afterTraining: { ...idle, handles: 99 } })).toEqual([
    'Expected as many handles after training as before, but 98 became 99.',
  ]);
});

test('resident memory beyond 2 % is growth', () => {
  expect(findGrowth(until({ ...training, residentBytes: 309e6 }))).toEqual([
    'Expected resident memory to grow by at most 2.0 %, but it was 3.0 %.',
  ]);
});

describe('21 looks', () => {
  /** Changes from look to look, of which most are small, as they were seen. */
  const looks = (changeAt: (part: number) => number) => {
    let residentBytes = 300e6;
    const rest = Array.from({ length: 20 }, (_, part) => {
      residentBytes += changeAt(part) + [40e3, -70e3, 50e3, -40e3][part % 4]!;
      return { ...training, residentBytes };
    });
    return [training, ...rest];
  };

  test.each([
    ['falls', -17e6],
    ['rises', 17e6],
  ])('memory that %s by 17 MB, once at each of three looks, is no growth', (_, change) => {
    const found = residentGrowth(looks((part) => ([2, 11, 19].includes(part) ? change : 0)));
    expect(Math.abs(found)).toBeLessThan(0.002);
  });

  test('16 KiB left by each of 500 steps are found, whatever falls meanwhile', () => {
    const duringTraining = looks((part) => 25 * 16_384 - (part === 9 ? 17e6 : 0));
    expect(duringTraining.at(-1)!.residentBytes).toBeLessThan(300e6);
    expect(findGrowth({ ...steady, duringTraining })).toEqual([
      'Expected resident memory to grow by at most 2.0 %, but it was 2.7 %.',
    ]);
  });
});
