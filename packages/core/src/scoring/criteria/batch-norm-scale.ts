import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Layer } from '@tensorflow/tfjs-layers/dist/engine/topology.js';
import { readNetwork } from '../../graph/nodes.ts';
import { type LayerScores, overallScores } from '../criterion.ts';
import type { ScoringInput } from '../scoring-pass.ts';

/**
 * Network slimming (Liu et al. 2017, arXiv 1708.06519).
 *
 *     S(f) = |gamma_f|, the scale of the batch norm that reads the layer
 *
 * Good for networks trained with L1 on these scales; needs no images. Comparable between layers by itself.
 *
 * @throws Error naming the first layer that no batch norm with a scale reads.
 */
export function batchNormScaleScores({ model, layers }: ScoringInput): LayerScores[] {
  return layers.map((layer) => {
    const gamma = findBatchNorm(model, layer)?.weights.find(({ originalName }) => originalName.endsWith('/gamma'));
    if (!gamma) {
      throw new Error(
        `The criterion 'batch-norm-scale' needs a batch norm with a scale behind every scored layer, but '${layer}' has none. Leave this layer alone, or choose another criterion.`,
      );
    }
    return overallScores(layer, gamma.read().dataSync<'float32'>().map(Math.abs));
  });
}

function findBatchNorm(model: LayersModel, layer: string): Layer | undefined {
  return readNetwork(model).nodes.find(
    ({ className, inputs }) => className === 'BatchNormalization' && inputs.some(({ name }) => name === layer),
  )?.layer;
}
