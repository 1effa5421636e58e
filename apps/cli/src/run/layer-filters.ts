import { countCost, type ReadGraphOptions, readGraph } from '@secateur/core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { NetworkReport } from './summary.ts';

/** Names of the convolutions of a network, and of whatever else may lose filters, in the order in which they compute. */
export function layersWithFilters(model: LayersModel, options: ReadGraphOptions): string[] {
  const graph = readGraph(model, options);
  const convolutions = countCost(model).layers.filter(({ className }) => className === 'Conv2D');
  const told = new Set([
    ...convolutions.map(({ name }) => name),
    ...graph.groups.flatMap(({ producers }) => producers),
  ]);
  return [...graph.filters.keys()].filter((layer) => told.has(layer));
}

/** How many filters each of these layers has. */
export function countFilters(model: LayersModel, layers: readonly string[]): NetworkReport['filters'] {
  const { filters } = readGraph(model);
  return layers.map((layer) => ({ layer, filters: filters.get(layer)! }));
}
