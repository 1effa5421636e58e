import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { eachEngine } from '../../test/support/engines.ts';
import { largestDifference } from '../../test/support/numbers.ts';
import { randomNumbers } from '../../test/support/synthetic.ts';
import { distillationLoss } from './distillation.ts';

eachEngine(() => {
  describe('distillationLoss', () => {
    it('is what it is by hand', () => {
      tf.tidy(() => {
        // At T = 2 the student's odds are 1 : 1 and the teacher's 3 : 1, for the second image the other way round.
        const odds = 2 * Math.log(3);
        const student = tf.tensor2d([
          [5, 5],
          [odds, 0],
        ]);
        const teacher = tf.tensor2d([
          [odds, 0],
          [1, 1],
        ]);
        const { loss, gradient } = distillationLoss(student, teacher, 2);
        const first = 4 * (0.75 * Math.log(0.75 / 0.5) + 0.25 * Math.log(0.25 / 0.5));
        const second = 4 * (0.5 * Math.log(0.5 / 0.75) + 0.5 * Math.log(0.5 / 0.25));
        expect(largestDifference(loss.dataSync(), [first, second])).toBeLessThan(1e-6);
        expect(largestDifference(gradient.dataSync(), [-0.5, 0.5, 0.5, -0.5])).toBeLessThan(1e-6);
      });
    });

    it.each([0.5, 1, 4, 20])('has the gradient that differences in float64 have at temperature %d', (temperature) => {
      const [student, teacher] = [1, 2].map((seed) => Array.from(randomNumbers(5, seed), (x) => 6 * x));
      const expected = student!.map((_, i) => {
        const shifted = (by: number) => divergence(student!.with(i, student![i]! + by), teacher!, temperature);
        return (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
      });
      tf.tidy(() => {
        const { loss, gradient } = distillationLoss(tf.tensor2d([student!]), tf.tensor2d([teacher!]), temperature);
        const value = divergence(student!, teacher!, temperature);
        expect(Math.abs(loss.dataSync()[0]! - value)).toBeLessThan(1e-5 * value);
        expect(largestDifference(gradient.dataSync(), expected)).toBeLessThan(1e-5);
      });
    });

    it('takes each pixel for itself', () => {
      tf.tidy(() => {
        const [student, teacher] = [1, 2].map((seed) => randomNumbers(2 * 3 * 2 * 5, seed));
        const rows = distillationLoss(tf.tensor(student!, [12, 5]), tf.tensor(teacher!, [12, 5]), 3);
        const pixels = distillationLoss(tf.tensor(student!, [2, 3, 2, 5]), tf.tensor(teacher!, [2, 3, 2, 5]), 3);
        expect(pixels.gradient.shape).toEqual([2, 3, 2, 5]);
        expect(largestDifference(pixels.gradient.dataSync(), rows.gradient.dataSync())).toBeLessThan(1e-6);
        expect(largestDifference(pixels.loss.dataSync(), rows.loss.dataSync())).toBeLessThan(1e-6);
      });
    });

    it('is 0, and so is its gradient, where both say the same, however sure they are', () => {
      tf.tidy(() => {
        const logits = tf.tensor2d([[1000, -1000, 3]]);
        const { loss, gradient } = distillationLoss(logits, logits, 1);
        expect([...loss.dataSync()]).toEqual([0]);
        expect([...gradient.dataSync()].map(Math.abs)).toEqual([0, 0, 0]);
      });
    });
  });
});

/** T^2 KL of one image, in float64. */
function divergence(student: readonly number[], teacher: readonly number[], temperature: number): number {
  const softmax = (logits: readonly number[]) => {
    const odds = logits.map((logit) => Math.exp(logit / temperature));
    const sum = odds.reduce((a, b) => a + b);
    return odds.map((value) => value / sum);
  };
  const [p, q] = [softmax(teacher), softmax(student)];
  return temperature ** 2 * p.reduce((sum, value, i) => sum + value * Math.log(value / q[i]!), 0);
}
