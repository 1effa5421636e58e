import { beforeAll, describe, expect, it } from 'vitest';
import { countCost } from '../src/cost/count-cost.ts';
import { useEngine } from './support/engines.ts';
import { type FullSizeNetwork, fullSizeOperations } from './support/full-size.ts';
import {
  buildModel,
  type CountsFile,
  listNetworks,
  type Operation,
  readGoldenJson,
  readNetwork,
} from './support/golden.ts';

// Nothing is computed with the weights, so one engine stands for all.
beforeAll(() => useEngine('cpu'));

function expectCounts(operations: readonly Operation[], size: number, expected: CountsFile): void {
  const { model } = buildModel(operations, { size, channels: 3 });
  const cost = countCost(model);
  model.dispose();
  expect(cost.macs).toBe(expected.macs_conv_linear);
  expect(cost.authorsFlops).toBe(expected.authors_flops_multiply_adds);
  expect(cost.parameters).toBe(expected.authors_params);
  expect(cost.uncounted).toEqual([]);
  const perLayer = expected.per_layer_macs;
  if (perLayer) {
    expect(cost.layers.filter((layer) => layer.macs > 0).map((layer) => layer.macs)).toEqual(
      perLayer.map(([, macs]) => macs),
    );
  }
}

describe.each(listNetworks())('golden counts of %s', (name) => {
  const { net, pruning } = readNetwork(name);

  it('of the whole network', () => {
    expectCounts(net.layers, net.input.size, pruning.dense_counts);
  });

  it.each(pruning.masks)('after $name', (mask) => {
    expectCounts(mask.layers, net.input.size, mask.counts);
  });
});

const { networks } = readGoldenJson<{ networks: (FullSizeNetwork & { counts: CountsFile })[] }>('counts.json');

describe('golden counts of full-size networks', () => {
  it.each(networks)('$name', (network) => {
    expectCounts(fullSizeOperations(network), network.input_size, network.counts);
  });
});
