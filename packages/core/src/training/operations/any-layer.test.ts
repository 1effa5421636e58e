import * as tf from '@tensorflow/tfjs-core';
import { type LayersModel, layers } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { eachEngine } from '../../../test/support/engines.ts';
import { largestDifference } from '../../../test/support/numbers.ts';
import { chain, fillWeights, image, modelOf } from '../../../test/support/small-models.ts';
import { stripedImages } from '../../../test/support/synthetic.ts';
import { scoreFilters } from '../../scoring/score-filters.ts';
import { compileProgram } from '../program.ts';
import { train } from '../train.ts';
import { predict } from '../walk.ts';

function classifierWith(layer: layers.Layer): LayersModel {
  const input = image(8, 3);
  const convolution = layers.conv2d({ name: 'conv', filters: 4, kernelSize: 3 });
  const model = modelOf(input, chain(input, convolution, layer, layers.flatten(), layers.dense({ units: 3 })));
  fillWeights(model, 5);
  return model;
}

const wrapped = () => layers.timeDistributed({ layer: layers.batchNormalization({ name: 'inner_bn' }) });

const REFUSED: [string, () => layers.Layer, string][] = [
  ['GaussianNoise', () => layers.gaussianNoise({ name: 'odd', stddev: 1 }), "'odd' (GaussianNoise)"],
  ['GaussianDropout', () => layers.gaussianDropout({ name: 'odd', rate: 0.5 }), "'odd' (GaussianDropout)"],
  ['AlphaDropout', () => layers.alphaDropout({ name: 'odd', rate: 0.5 }), "'odd' (AlphaDropout)"],
  [
    'BatchNormalization over rows',
    () => layers.batchNormalization({ name: 'odd', axis: 1 }),
    "'odd' (BatchNormalization)",
  ],
  ['a wrapper with BatchNormalization inside', wrapped, "'inner_bn' (BatchNormalization) inside layer"],
];

eachEngine(() => {
  describe.each(REFUSED)('%s', (_, build, named) => {
    it('is refused in training before any weight moves, with a way out', async () => {
      const model = classifierWith(build());
      const before = model.getWeights().map((weight) => Array.from(weight.dataSync()));
      const tensors = tf.memory().numTensors;
      const training = (async () => {
        for await (const _ of train(model, stripedImages(), { epochs: 1, schedule: { kind: 'constant', rate: 0.1 } }));
      })();
      await expect(training).rejects.toThrow(named);
      await expect(training).rejects.toThrow('use Dropout, and BatchNormalization over the last axis');
      expect(model.getWeights().map((weight) => Array.from(weight.dataSync()))).toEqual(before);
      expect(tf.memory().numTensors).toBe(tensors);
    });

    it('predicts as tf.layers does, and lets its network be scored', async () => {
      const model = classifierWith(build());
      tf.tidy(() => {
        const x = tf.randomUniform([4, 8, 8, 3], -1, 1, 'float32', 3);
        const expected = (model.predict(x) as tf.Tensor).dataSync();
        expect(largestDifference(predict(compileProgram(model), x).dataSync(), expected)).toBeLessThan(1e-5);
      });
      const [scores] = await scoreFilters(model, stripedImages(), { criterion: { kind: 'reference', tau: 0 } });
      expect(scores!.layer).toBe('conv');
      expect(scores!.numerators.length).toBe(4);
      expect(Math.max(...scores!.numerators)).toBeGreaterThan(0);
    });
  });
});
