import { type LayerNode, type Network, readNetwork } from '@secateur/core';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { input, type LayersModel, layers, model, type SymbolicTensor, sequential } from '@tensorflow/tfjs-layers';
import { afterEach, expect, it } from 'vitest';
import { ARCHITECTURES } from '../../../core/test/support/architectures.ts';
import { TracedNetwork } from '../../../core/test/support/traced-network.ts';
import { readLayers } from './read-layers.ts';

afterEach(() => tf.disposeVariables());

/** Every application by numbers and names, so that two readings can be compared. */
function written({ nodes, outputs }: Network, isPassedOn: (node: LayerNode) => boolean = () => false) {
  const kept = nodes.filter((node) => !isPassedOn(node));
  const number = (node: LayerNode): number => (isPassedOn(node) ? number(node.inputs[0]!) : kept.indexOf(node));
  return {
    nodes: kept.map(({ inputs, layer: { name: layer }, ...node }) => ({ ...node, layer, inputs: inputs.map(number) })),
    outputs: outputs.map(number),
  };
}

/** Core lists the input layers of nested models too. */
const isInnerInput = ({ className, inputs }: LayerNode) => className === 'InputLayer' && inputs.length > 0;

function expectAsCoreReads(network: LayersModel): void {
  const read = written(readLayers(network));
  expect(read.nodes.length).toBeGreaterThan(2);
  expect(read.nodes.every(({ inputs }, i) => inputs.every((source) => source >= 0 && source < i))).toBe(true);
  expect(read).toEqual(written(readNetwork(network), isInnerInput));
}

const apply = (layer: { apply(x: SymbolicTensor | SymbolicTensor[]): unknown }, x: SymbolicTensor | SymbolicTensor[]) =>
  layer.apply(x) as SymbolicTensor;

it.each(Object.entries(ARCHITECTURES))('reads %s as core does', (_name, { build }) => {
  expectAsCoreReads(build(new TracedNetwork()));
});

it('reads shared layers, several inputs and outputs, and nested models of any size as core does', () => {
  const inner = sequential({
    layers: [
      layers.conv2d({ inputShape: [null, null, 2] as unknown as number[], filters: 3, kernelSize: 3 }),
      layers.reLU(),
    ],
  });
  const [a, b] = [input({ shape: [7, 6, 2], name: 'a' }), input({ shape: [5, 4, 3], name: 'b' })];
  const [first, second] = [apply(inner, a), apply(inner, apply(layers.zeroPadding2d(), a))];
  const cropped = apply(
    layers.cropping2D({
      cropping: [
        [1, 1],
        [1, 1],
      ],
    }),
    second,
  );
  const joined = apply(layers.add(), [first, cropped, b]);
  const x = input({ shape: [5, 4, 3] });
  const split = model({ inputs: x, outputs: [apply(layers.globalMaxPooling2d({}), x), apply(layers.flatten(), x), x] });
  const [pooled, flat, same] = split.apply(joined) as SymbolicTensor[];
  const shared = layers.dense({ units: 2, name: 'shared' });
  const outputs = [apply(shared, pooled!), apply(shared, apply(layers.dense({ units: 3 }), flat!)), same!];
  const network = model({ inputs: [a, b], outputs });
  expectAsCoreReads(network);

  const { nodes, outputs: ends } = readLayers(network);
  expect(nodes.filter(({ name }) => name === 'shared')).toHaveLength(2);
  expect(nodes.filter(({ className }) => className === 'Conv2D').map(({ outputShape }) => outputShape)).toEqual([
    [null, 5, 4, 3],
    [null, 7, 6, 3],
  ]);
  expect(ends.map(({ className }) => className)).toEqual(['Dense', 'Dense', 'Add']);
});
