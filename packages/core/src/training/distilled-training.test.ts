import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { eachEngine } from '../../test/support/engines.ts';
import { smallResNet, smallVgg } from '../../test/support/networks.ts';
import { largestDifference } from '../../test/support/numbers.ts';
import { fillWeights } from '../../test/support/small-models.ts';
import { stripedImages } from '../../test/support/synthetic.ts';
import type { Batch, BatchSource } from '../data.ts';
import { PLAIN_OBJECTIVE } from '../objective/objective.ts';
import { evaluate } from './evaluate.ts';
import { type DistillationOptions, type StepEvent, type TrainingOptions, train } from './train.ts';

const ONE_STEP = {
  epochs: 1,
  schedule: { kind: 'constant', rate: 0.1 },
  momentum: 0,
  weightDecay: 0,
  objective: PLAIN_OBJECTIVE,
} as const satisfies TrainingOptions;

async function stepsOf(model: LayersModel, source: BatchSource, options: TrainingOptions): Promise<StepEvent[]> {
  const steps: StepEvent[] = [];
  for await (const event of train(model, source, options)) if (event.type === 'step') steps.push(event);
  return steps;
}

const weightsOf = (model: LayersModel) => model.getWeights().map((weight) => Array.from(weight.dataSync()));

/** The oracle: the loss in plain ops over tf.layers, and its gradients by tfjs's own tape, weight by weight. */
function lossByTape(student: LayersModel, teacher: LayersModel, batch: Batch, temperature: number, weight: number) {
  return tf.tidy(() => {
    const x = tf.tensor4d(batch.images, [...batch.shape]);
    const labels = tf.oneHot(tf.tensor1d(batch.labels, 'int32'), 3);
    const p = tf.softmax(tf.div(teacher.predict(x) as tf.Tensor, temperature));
    let distillation = 0;
    const { grads } = tf.variableGrads(
      () => {
        const logits = student.apply(x, { training: true }) as tf.Tensor2D;
        const q = tf.softmax(tf.div(logits, temperature));
        const divergence = tf.mean(tf.sum(tf.mul(p, tf.log(tf.div(p, q))), 1));
        distillation = temperature ** 2 * divergence.dataSync()[0]!;
        const crossEntropy = tf.losses.softmaxCrossEntropy(labels, logits);
        return tf.add(tf.mul(crossEntropy, 1 - weight), tf.mul(divergence, weight * temperature ** 2)) as tf.Scalar;
      },
      student.trainableWeights.map((entry) => entry.read() as tf.Variable),
    );
    const gradients = student.trainableWeights.map((entry) => grads[(entry.read() as tf.Variable).name]!.dataSync());
    return { distillation, gradients } as never;
  }) as unknown as { distillation: number; gradients: Float32Array[] };
}

eachEngine(() => {
  describe('training with a teacher', () => {
    it.each([
      [1, 0.3],
      [4, 0.9],
    ])("takes the step of tfjs's tape at temperature %d and weight %d", async (temperature, weight) => {
      const [student, twin, teacher] = [smallVgg(), smallVgg(), smallResNet()];
      fillWeights(teacher, 5);
      const source = stripedImages({ perClass: 4 });
      const batch = (await source.batches(0)[Symbol.asyncIterator]().next()).value as Batch;
      const { distillation, gradients } = lossByTape(twin, teacher, batch, temperature, weight);
      const before = student.trainableWeights.map((entry) => Array.from(entry.read().dataSync()));
      const [step] = await stepsOf(student, source, { ...ONE_STEP, teacher: { model: teacher, temperature, weight } });
      student.trainableWeights.forEach((entry, i) => {
        const expected = before[i]!.map((value, k) => value - 0.1 * gradients[i]![k]!);
        expect(largestDifference(entry.read().dataSync(), expected), entry.originalName).toBeLessThan(5e-5);
      });
      expect(distillation).toBeGreaterThan(0.01);
      expect(step!.distillation).toBeCloseTo(distillation, 4);
      expect(step!.total).toBeCloseTo((1 - weight) * step!.crossEntropy + weight * step!.distillation, 10);
      expect(step!.teacherMilliseconds).toBeGreaterThan(0);
      expect(step!.teacherMilliseconds).toBeLessThan(step!.milliseconds);
    });

    it('follows the teacher where the labels mislead, leaves it as it is, and leaves no tensors behind', async () => {
      const source = stripedImages();
      const teacher = smallVgg();
      await stepsOf(teacher, source, { epochs: 8, schedule: { kind: 'constant', rate: 0.05 } });
      expect((await evaluate(teacher, source)).accuracy).toBeGreaterThan(0.9);
      const misleading: BatchSource = {
        ...source,
        async *batches(epoch) {
          for await (const batch of source.batches(epoch)) {
            yield { ...batch, labels: batch.labels.map((label) => (label + 1) % 3) };
          }
        },
      };
      const student = smallVgg();
      const [weights, tensors] = [weightsOf(teacher), tf.memory().numTensors];
      const schedule = { kind: 'constant', rate: 0.05 } as const;
      const options = { epochs: 16, schedule, objective: PLAIN_OBJECTIVE };
      const steps = await stepsOf(student, misleading, { ...options, teacher: { model: teacher, weight: 1 } });
      expect((await evaluate(student, source)).accuracy).toBeGreaterThan(0.9);
      expect(steps.at(-1)!.distillation).toBeLessThan(steps[0]!.distillation / 4);
      expect(tf.memory().numTensors).toBe(tensors);
      expect(weightsOf(teacher)).toEqual(weights);
    });

    it('with weight 0 trains as without', async () => {
      const [first, second] = [smallVgg(), smallVgg()];
      const plain = await stepsOf(first, stripedImages(), ONE_STEP);
      await stepsOf(second, stripedImages(), { ...ONE_STEP, teacher: { model: smallResNet(), weight: 0 } });
      expect(weightsOf(second)).toEqual(weightsOf(first));
      expect(plain.map(({ distillation, teacherMilliseconds }) => [distillation, teacherMilliseconds])).toEqual(
        plain.map(() => [0, 0]),
      );
    });

    it.each<[Partial<DistillationOptions> & { classes?: number }, string]>([
      [{ temperature: 0 }, "the teacher's temperature"],
      [{ temperature: Number.POSITIVE_INFINITY }, "the teacher's temperature"],
      [{ weight: 1.5 }, "the teacher's weight"],
      [{ weight: Number.NaN }, "the teacher's weight"],
      [{ classes: 4 }, 'Expected a teacher with the logits'],
    ])('refuses a teacher with %o', async (wrong, message) => {
      const { classes, ...options } = wrong;
      const teacher = { ...options, model: smallVgg(classes) };
      const training = stepsOf(smallVgg(), stripedImages(), { ...ONE_STEP, teacher });
      await expect(training).rejects.toThrow(message);
    });
  });
});
