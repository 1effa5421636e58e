import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { layers, loadLayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { expect, it } from 'vitest';
import { eachEngine } from '../../test/support/engines.ts';
import { largestDifference } from '../../test/support/numbers.ts';
import { chain, fillWeights, modelOf } from '../../test/support/small-models.ts';
import { randomNumbers } from '../../test/support/synthetic.ts';
import { compileProgram } from '../training/program.ts';
import { predict, walkBackward, walkForward } from '../training/walk.ts';
import { SelfAttention, type SelfAttentionConfig } from './self-attention.ts';

const [IMAGES, TOKENS, INPUTS] = [2, 5, 6];

function attentionModel(config: Partial<SelfAttentionConfig> = { units: 7 }) {
  const input = layers.inputLayer({ inputShape: [TOKENS, INPUTS], name: 'tokens' }).output as SymbolicTensor;
  const attention = new SelfAttention({ name: 'attention', heads: 3, headSize: 4, seed: 1, ...config });
  const model = modelOf(input, chain(input, attention));
  return { attention, model };
}

const tokens = () => tf.tensor3d(randomNumbers(IMAGES * TOKENS * INPUTS, 3), [IMAGES, TOKENS, INPUTS]);

type Matrix = readonly (readonly number[])[];

/** The definition, head by head and number by number. */
function attend(x: Matrix, weights: readonly tf.Tensor[], heads: number, headSize: number): number[][] {
  const [queryKernel, queryBias, keyKernel, keyBias, valueKernel, valueBias, outputKernel, outputBias] = weights.map(
    (weight) => weight.arraySync(),
  ) as [Matrix, number[], Matrix, number[], Matrix, number[], Matrix, number[]];
  const project = (row: readonly number[], kernel: Matrix, bias: number[]) =>
    bias.map((b, j) => row.reduce((sum, value, i) => sum + value * kernel[i]![j]!, b));
  const queries = x.map((row) => project(row, queryKernel, queryBias));
  const keys = x.map((row) => project(row, keyKernel, keyBias));
  const values = x.map((row) => project(row, valueKernel, valueBias));
  return queries.map((query) => {
    const mixed: number[] = [];
    for (let head = 0; head < heads; head++) {
      const own = Array.from({ length: headSize }, (_, i) => head * headSize + i);
      const exponentials = keys.map((key) =>
        Math.exp(own.reduce((sum, i) => sum + query[i]! * key[i]!, 0) / Math.sqrt(headSize)),
      );
      const total = exponentials.reduce((a, b) => a + b);
      for (const i of own) mixed.push(exponentials.reduce((sum, e, t) => sum + (e / total) * values[t]![i]!, 0));
    }
    return project(mixed, outputKernel, outputBias);
  });
}

it('names its weights by projection', () => {
  const { attention } = attentionModel();
  expect(attention.weights.map(({ originalName, shape }) => `${originalName} ${shape.join('x')}`)).toEqual([
    'attention/query/kernel 6x12',
    'attention/query/bias 12',
    'attention/key/kernel 6x12',
    'attention/key/bias 12',
    'attention/value/kernel 6x12',
    'attention/value/bias 12',
    'attention/output/kernel 12x7',
    'attention/output/bias 7',
  ]);
  expect(attention.outputShape).toEqual([null, TOKENS, 7]);
});

eachEngine(() => {
  it.each([
    [3, 4, 7],
    [1, 5, undefined],
  ])('computes the definition with %i heads of %i', (heads, headSize, units) => {
    const { model } = attentionModel({ heads, headSize, ...(units ? { units } : {}) });
    fillWeights(model, 5);
    tf.tidy(() => {
      const x = tokens();
      const expected = x.arraySync().map((image) => attend(image, model.getWeights(), heads, headSize));
      const output = model.predict(x) as tf.Tensor;
      expect(output.shape).toEqual([IMAGES, TOKENS, units ?? INPUTS]);
      expect(largestDifference(output.dataSync(), expected.flat(2))).toBeLessThan(1e-5);
      expect(Math.max(...expected.flat(2))).toBeGreaterThan(0.1);
      expect(largestDifference(predict(compileProgram(model), x).dataSync(), expected.flat(2))).toBeLessThan(1e-5);
    });
  });

  it("has in training the gradients of tfjs's tape", () => {
    const { attention, model } = attentionModel();
    fillWeights(model, 6);
    tf.tidy(() => {
      const x = tokens();
      const dy = tf.tensor(randomNumbers(IMAGES * TOKENS * 7, 4), [IMAGES, TOKENS, 7]);
      const variables = attention.weights.map((weight) => weight.read() as tf.Variable);
      const { grads } = tf.variableGrads(() => tf.sum(tf.mul(model.apply(x) as tf.Tensor, dy)) as tf.Scalar, variables);
      const program = compileProgram(model);
      let compared = 0;
      walkBackward(program, walkForward(program, x, { mode: 'training' }), dy, {
        onWeight: ({ key, variable }, gradient) => {
          expect(largestDifference(gradient.dataSync(), grads[variable.name]!.dataSync()), key).toBeLessThan(1e-5);
          compared++;
        },
      });
      expect(compared).toBe(8);
    });
  });

  it('starts from a truncated normal, other numbers in each kernel, the same from the same seed', () => {
    const kernels = (seed: number) => {
      const input = layers.inputLayer({ inputShape: [4, 64] }).output as SymbolicTensor;
      const attention = new SelfAttention({ heads: 4, headSize: 16, seed });
      chain(input, attention);
      return attention.getWeights().map((weight) => Array.from(weight.dataSync()));
    };
    const drawn = kernels(3);
    expect(kernels(3)).toEqual(drawn);
    expect(new Set([...drawn, ...kernels(7)].filter((_, i) => i % 2 === 0).map((kernel) => kernel[0])).size).toBe(8);
    for (const kernel of drawn.filter((_, i) => i % 2 === 0)) {
      expect(Math.max(...kernel.map(Math.abs))).toBeLessThanOrEqual(0.0400001);
      // Cut off at two deviations, a normal distribution keeps 0.8796 of its deviation; 4096 numbers tell it to 1 %.
      const deviation = Math.sqrt(kernel.reduce((sum, value) => sum + value * value, 0) / kernel.length);
      expect(Math.abs(deviation / (0.02 * 0.8796) - 1)).toBeLessThan(0.04);
    }
    for (const bias of drawn.filter((_, i) => i % 2 === 1)) expect(new Set(bias)).toEqual(new Set([0]));
  });

  it('survives saving and loading', async () => {
    const { model } = attentionModel();
    let saved: tf.io.ModelArtifacts | undefined;
    await model.save(
      tf.io.withSaveHandler(async (artifacts) => {
        saved = { ...artifacts, modelTopology: JSON.parse(JSON.stringify(artifacts.modelTopology)) };
        return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
      }),
    );
    const loaded = await loadLayersModel(tf.io.fromMemory(saved!));
    expect(loaded.getLayer('attention').getConfig()).toEqual(model.getLayer('attention').getConfig());
    tf.tidy(() => {
      const [before, after] = [model, loaded].map((m) => (m.predict(tokens()) as tf.Tensor).dataSync());
      expect(after).toEqual(before);
      expect(Math.max(...before!.map(Math.abs))).toBeGreaterThan(0);
    });
  });
});

it.each([
  [{ heads: 0 }, "heads of layer 'attention' (SelfAttention) to be a positive integer, but it is 0."],
  [{ headSize: 1.5 }, "headSize of layer 'attention' (SelfAttention) to be a positive integer, but it is 1.5."],
  [{ units: Number.NaN }, "units of layer 'attention' (SelfAttention) to be a positive integer"],
])('rejects %o', (config, message) => {
  expect(() => attentionModel(config)).toThrow(message);
});

it('rejects images that are not tokens', () => {
  const images = layers.inputLayer({ inputShape: [8, 8, 3] }).output as SymbolicTensor;
  expect(() => chain(images, new SelfAttention({ name: 'attention', heads: 1, headSize: 2 }))).toThrow(
    "layer 'attention' (SelfAttention) to be [batch, tokens, features] with a fixed number of features, but it is [null, 8, 8, 3].",
  );
});
