import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countCost } from '../src/cost/count-cost.ts';
import { readGraph } from '../src/graph/channel-graph.ts';
import { applyPlan } from '../src/pruning/apply-plan.ts';
import { createPlan, type PruningPlan } from '../src/pruning/pruning-plan.ts';
import { eachEngine } from './support/engines.ts';
import {
  buildModel,
  type GoldenModel,
  goldenImages,
  listNetworks,
  type MaskFile,
  readNetwork,
  readTensor,
  setTensors,
  tensorEntry,
} from './support/golden.ts';
import { largestDifference, predict } from './support/numbers.ts';

function planOf({ drop }: MaskFile): PruningPlan {
  return createPlan(Object.entries(drop).flatMap(([layer, filters]) => filters.map((filter) => ({ layer, filter }))));
}

describe.each(listNetworks())('golden pruning of %s', (name) => {
  const network = readNetwork(name);
  const { net, scores, pruning } = network;
  const images = goldenImages(net);
  const perClass = scores.images_per_class;
  const onePerClass = goldenImages(
    net,
    Array.from({ length: net.num_classes }, (_, label) => label * perClass),
  );
  const weights = { entries: net.weights.entries, values: network.floats(net.weights.file) };

  eachEngine(() => {
    let dense: GoldenModel;
    beforeAll(() => {
      dense = buildModel(net.layers, net.input, weights);
    });
    afterAll(() => {
      dense.model.dispose();
    });

    it('finds the prunable convolutions', () => {
      expect(readGraph(dense.model).groups.map((group) => group.name)).toEqual(pruning.prunable);
    });

    describe.each(pruning.masks)('mask $name', (mask) => {
      let pruned: LayersModel;
      let logits: Float32Array;
      beforeAll(async () => {
        pruned = await applyPlan(dense.model, planOf(mask));
        logits = predict(pruned, images);
      });
      afterAll(() => {
        pruned.dispose();
      });

      it('cuts every tensor exactly', () => {
        const reference = buildModel(mask.layers, net.input);
        const values = network.floats(mask.file);
        for (const entry of mask.entries) {
          const actual = readTensor({ model: pruned, places: reference.places }, entry.name);
          expect(actual, entry.name).toEqual(tensorEntry(values, entry).slice());
        }
        expect(pruned.weights.length).toBe(mask.entries.length);
        reference.model.dispose();
      });

      it('predicts the logits of the pruned reference', () => {
        expect(largestDifference(logits, mask.logits.flat())).toBeLessThanOrEqual(1e-4);
        const change = largestDifference(logits, scores.logits.flat());
        expect(Math.abs(change - mask.max_abs_change_of_logits)).toBeLessThanOrEqual(2e-4);
      });

      it('equals the network whose removed channels are silent after batch norm', () => {
        silence(dense, mask);
        const masked = predict(dense.model, onePerClass);
        setTensors(dense, weights);
        expect(largestDifference(predict(pruned, onePerClass), masked)).toBeLessThanOrEqual(
          mask.max_abs_diff_to_masked + 2e-5,
        );
      });

      it('costs what the authors count', () => {
        const cost = countCost(pruned);
        expect(cost.macs).toBe(mask.counts.macs_conv_linear);
        expect(cost.authorsFlops).toBe(mask.counts.authors_flops_multiply_adds);
        expect(cost.parameters).toBe(mask.counts.authors_params);
      });
    });
  });

  /** Sets scale and shift of the removed channels to 0 in the batch norm that follows their convolution. */
  function silence({ model }: GoldenModel, mask: MaskFile): void {
    const { nodes } = readGraph(model);
    for (const [conv, filters] of Object.entries(mask.drop)) {
      const norm = nodes.find((node) => node.inputs[0]?.name === conv)!;
      expect(norm.className).toBe('BatchNormalization');
      const [gamma, beta] = norm.layer.weights;
      for (const weight of [gamma!, beta!]) {
        const values = weight.read().dataSync().slice();
        for (const filter of filters) values[filter] = 0;
        const silenced = tf.tensor1d(values);
        weight.write(silenced);
        silenced.dispose();
      }
    }
  }
});
