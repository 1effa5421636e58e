import * as tf from '@tensorflow/tfjs-core';
import {
  type LayersModel,
  layers,
  model as layersModel,
  type SymbolicTensor,
  sequential,
} from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { eachEngine } from '../../test/support/engines.ts';
import { smallResNet, smallVgg } from '../../test/support/networks.ts';
import { largestDifference } from '../../test/support/numbers.ts';
import { fillWeights } from '../../test/support/small-models.ts';
import { stripedImages } from '../../test/support/synthetic.ts';
import type { BatchSource } from '../data.ts';
import { applyPlan } from '../pruning/apply-plan.ts';
import { createPlan } from '../pruning/pruning-plan.ts';
import { evaluate } from './evaluate.ts';
import { recalibrateBatchNorm } from './recalibrate-batch-norm.ts';
import { train } from './train.ts';

/** 12, 12 and 6 images. */
const UNEVEN = () => stripedImages({ perClass: 10, batchSize: 12 });

/** The oracle: what tf.layers hands to a layer in training, all batches one after another, [values, channels]. */
async function inputsOf(model: LayersModel, layer: string, source: BatchSource): Promise<tf.Tensor> {
  const before = layersModel({ inputs: model.inputs, outputs: model.getLayer(layer).input as SymbolicTensor });
  const parts: tf.Tensor[] = [];
  for await (const { images, shape } of source.batches(0)) {
    parts.push(
      tf.tidy(() => {
        const output = before.apply(tf.tensor4d(images, [...shape]), { training: true }) as tf.Tensor;
        return tf.reshape(output, [-1, output.shape.at(-1)!]);
      }),
    );
  }
  const all = tf.concat(parts);
  tf.dispose(parts);
  return all;
}

function momentsOf(x: tf.Tensor): { mean: Float32Array; variance: Float32Array } {
  return tf.tidy(() => {
    const { mean, variance } = tf.moments(x, 0);
    const unbiased = tf.mul(variance, x.shape[0]! / (x.shape[0]! - 1));
    return { mean: mean.dataSync() as Float32Array, variance: unbiased.dataSync() as Float32Array };
  }) as never;
}

const weightsOf = (model: LayersModel) => model.getWeights().map((weight) => Array.from(weight.dataSync()));

eachEngine(() => {
  describe('recalibrateBatchNorm', () => {
    it.each([
      ['VGG', smallVgg, ['bn1', 'bn2']],
      ['ResNet', smallResNet, ['stem_bn', 'block1_conv2_bn', 'block2_conv1_bn']],
    ])('gives a %s the mean and variance over all batches, whatever their sizes', async (_, build, names) => {
      const model = build();
      fillWeights(model, 3);
      const source = UNEVEN();
      const expected = new Map<string, ReturnType<typeof momentsOf>>();
      for (const name of names) {
        const x = await inputsOf(model, name, source);
        expected.set(name, momentsOf(x));
        x.dispose();
      }
      await recalibrateBatchNorm(model, source);
      for (const [name, { mean, variance }] of expected) {
        const [, , movingMean, movingVariance] = model.getLayer(name).getWeights();
        expect(largestDifference(movingMean!.dataSync(), mean), name).toBeLessThan(1e-4);
        expect(largestDifference(movingVariance!.dataSync(), variance), name).toBeLessThan(1e-3);
      }
    });

    it('takes as many batches as it is told, leaves all other weights, and leaves no tensors behind', async () => {
      const [model, twin] = [smallVgg(), smallVgg()];
      const before = tf.memory().numTensors;
      const [weights, names] = [weightsOf(model), model.weights.map(({ originalName }) => originalName)];
      let taken = 0;
      const counted: BatchSource = {
        ...UNEVEN(),
        async *batches() {
          for await (const batch of UNEVEN().batches(0)) {
            taken++;
            yield batch;
          }
        },
      };
      await recalibrateBatchNorm(model, counted, { batches: 2 });
      expect(taken).toBe(2);
      expect(tf.memory().numTensors).toBe(before);
      const moved = weightsOf(model).flatMap((values, i) => (`${values}` === `${weights[i]}` ? [] : [names[i]]));
      expect(moved).toEqual(names.filter((name) => name.includes('moving_')));
      await recalibrateBatchNorm(twin, stripedImages({ perClass: 8, batchSize: 24 }));
      // The same 24 images in one batch: no difference to the first batch norm.
      const [inTwo, inOne] = [model, twin].map((network) => network.getLayer('bn1').getWeights()[3]!.dataSync());
      expect(largestDifference(inTwo!, inOne!)).toBeLessThan(1e-5);
    });

    it('lets dropout rest', async () => {
      const build = (rate: number) =>
        sequential({
          layers: [
            layers.flatten({ inputShape: [8, 8, 3] }),
            layers.dropout({ rate }),
            layers.batchNormalization({ name: 'bn' }),
            layers.dense({ units: 3 }),
          ],
        });
      const statistics = [];
      for (const rate of [0, 0.5]) {
        const model = build(rate);
        await recalibrateBatchNorm(model, UNEVEN());
        statistics.push(model.getLayer('bn').getWeights()[3]!.dataSync());
      }
      expect(largestDifference(statistics[0]!, statistics[1]!)).toBe(0);
    });

    it('mends what a removal has broken in the statistics behind it', async () => {
      const model = smallVgg();
      const source = stripedImages({ perClass: 16 });
      const schedule = { kind: 'constant', rate: 0.05 } as const;
      for await (const _ of train(model, source, { epochs: 8, schedule }));
      const filters = [0, 1, 3].map((filter) => ({ layer: 'conv2', filter }));
      const pruned = await applyPlan(model, createPlan(filters));
      const broken = await evaluate(pruned, source);
      await recalibrateBatchNorm(pruned, source);
      expect((await evaluate(pruned, source)).loss).toBeLessThan(0.8 * broken.loss);
    });

    it('refuses what gives no statistics, and leaves the model as it was', async () => {
      const model = smallVgg();
      const weights = weightsOf(model);
      const source = UNEVEN();
      const empty: BatchSource = { ...source, async *batches() {} };
      const broken: BatchSource = {
        ...source,
        async *batches() {
          for await (const batch of source.batches(0)) yield { ...batch, images: batch.images.fill(Number.NaN) };
        },
      };
      await expect(recalibrateBatchNorm(model, source, { batches: 0 })).rejects.toThrow('batches');
      await expect(recalibrateBatchNorm(model, empty)).rejects.toThrow('the source gave none');
      await expect(recalibrateBatchNorm(model, broken)).rejects.toThrow('Expected finite statistics');
      expect(weightsOf(model)).toEqual(weights);
    });
  });
});
