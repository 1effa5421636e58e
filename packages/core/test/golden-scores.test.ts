import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { softmaxCrossEntropy } from '../src/kernels/softmax-cross-entropy.ts';
import { taylorCount } from '../src/kernels/taylor.ts';
import { sumImportance } from '../src/scoring/criteria/importance.ts';
import { scoreFilters } from '../src/scoring/score-filters.ts';
import { gradientPass } from '../src/scoring/scoring-pass.ts';
import { compileProgram } from '../src/training/program.ts';
import { walkBackward, walkForward } from '../src/training/walk.ts';
import { sourceOf } from './support/batches.ts';
import { eachEngine } from './support/engines.ts';
import { buildModel, goldenImages, listNetworks, readNetwork } from './support/golden.ts';
import { largestDifference } from './support/numbers.ts';

eachEngine(() => {
  describe.each(listNetworks())('golden scores of %s', (name) => {
    const { net, scores, floats, bytes } = readNetwork(name);
    const images = goldenImages(net);
    const build = () =>
      buildModel(net.layers, net.input, { entries: net.weights.entries, values: floats(net.weights.file) }).model;

    it('counts every class, filter and position as the authors do at tau 0', async () => {
      const model = build();
      const counts = bytes(scores.counts_file);
      const input = { model, source: sourceOf(images, 37), layers: scores.layers.map(({ conv }) => conv) };
      const { imagesPerClass, layers } = await gradientPass(input, {
        at: 'output',
        byClass: true,
        reduce: ({ seen, classes }) => taylorCount(seen, { threshold: 0, classes }),
      });
      expect(imagesPerClass).toBe(scores.images_per_class);
      for (const [index, layer] of scores.layers.entries()) {
        const [classes, filters, positions] = layer.counts_shape;
        const total = layers[index]!.totals[0]!;
        expect(total.dtype).toBe('int32');
        const actual = tf.tidy(() =>
          tf.transpose(tf.reshape(total, [classes, positions, filters]), [0, 2, 1]).dataSync(),
        );
        const expected = counts.subarray(layer.counts_offset, layer.counts_offset + classes * filters * positions);
        expect(Array.from(actual), layer.conv).toEqual(Array.from(expected));
        total.dispose();
      }
    });

    it.each([...scores.taus.map((tau) => [tau, images.labels.length] as const), ['0', 37] as const])(
      'scores filters at tau %s in batches of %i',
      async (tau, batchSize) => {
        const result = await scoreFilters(build(), sourceOf(images, batchSize), {
          criterion: { kind: 'reference', tau: Number(tau) },
        });
        expect(result.map(({ layer }) => layer)).toEqual(scores.layers.map(({ conv }) => conv));
        result.forEach((layer, index) => {
          const expected = scores.layers[index]!.taus[tau]!;
          expect(layer.denominator).toBe(scores.images_per_class);
          layer.numerators.forEach((numerator, filter) => {
            const place = `${layer.layer}[${filter}]`;
            expect(numerator, place).toBeGreaterThanOrEqual(expected.score_tenths_low[filter]!);
            expect(numerator, place).toBeLessThanOrEqual(expected.score_tenths_high[filter]!);
          });
          if (Number(tau) === 0) {
            expect(Array.from(layer.numerators)).toEqual(expected.score_tenths);
            const matrix = Array.from(layer.classMatrix, (share) => Math.round(share * layer.denominator));
            expect(matrix).toEqual(expected.class_max_tenths.flat());
          }
        });
      },
    );

    it('finds the mean importance of each filter', async () => {
      const input = { model: build(), source: sourceOf(images), layers: scores.layers.map(({ conv }) => conv) };
      const { imagesPerClass, layers } = await sumImportance(input);
      layers.forEach(({ totals: [total] }, index) => {
        const { height, width, mean_abs } = scores.layers[index]!;
        const average = tf.tidy(() => tf.div(tf.sum(total!, 0), imagesPerClass * height * width).dataSync());
        mean_abs.score_avg_float64.forEach((expected, filter) => {
          expect(Math.abs(average[filter]! - expected)).toBeLessThanOrEqual(1e-4 * expected + 1e-9);
        });
        total!.dispose();
      });
    });

    it('finds activations and gradients of a single image', () => {
      const { probe, images_per_class } = scores;
      const values = floats(probe.file);
      const program = compileProgram(build());
      const steps = probe.convs.map(({ conv }) => program.steps.findIndex(({ node }) => node.name === conv));
      const seen = new Set<number>();
      const single = goldenImages(net, [probe.image]);
      tf.tidy(() => {
        const walk = walkForward(program, tf.tensor4d(single.images, [...single.shape]), {
          mode: 'scoring',
          taps: new Set(steps),
        });
        const { gradient } = softmaxCrossEntropy(walk.output, tf.tensor1d(single.labels, 'int32'));
        walkBackward(program, walk, tf.div(gradient, images_per_class), {
          onTap: (step, activation, dActivation) => {
            seen.add(step);
            const conv = probe.convs[steps.indexOf(step)]!;
            const size = activation.size;
            const check = (tensor: tf.Tensor, offset: number) => {
              const expected = values.subarray(offset, offset + size);
              const largest = expected.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
              const actual = tf.transpose(tensor as tf.Tensor4D, [0, 3, 1, 2]).dataSync();
              expect(largestDifference(actual, expected), conv.conv).toBeLessThanOrEqual(1e-5 * largest + 1e-7);
            };
            check(activation, conv.activation_offset);
            check(dActivation, conv.gradient_offset);
          },
        });
      });
      expect(seen).toEqual(new Set(steps));
    });
  });
});
