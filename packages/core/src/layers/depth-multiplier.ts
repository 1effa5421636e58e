import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Layer } from '@tensorflow/tfjs-layers/dist/engine/topology.js';
import { isContainer } from '../graph/nodes.ts';

/**
 * Makes a model save completely. TensorFlow.js 4.22 leaves the `depthMultiplier` of SeparableConv2D out of what `save` writes, so that a
 * model in which it is not 1 cannot be loaded again; after this call the model's own layers add it. `applyPlan` calls it for what it
 * returns; call it for other models, also for loaded ones, before saving them.
 */
export function completeConfigs(model: Pick<LayersModel, 'layers'>): void {
  for (const layer of model.layers as Layer[]) {
    if (isContainer(layer)) completeConfigs(layer);
    else if (layer.getClassName() === 'SeparableConv2D' && layer.built) addDepthMultiplier(layer);
  }
}

function addDepthMultiplier(layer: Layer): void {
  // Depthwise kernel: [height, width, inputs, multiplier].
  const depthMultiplier = layer.weights[0]!.shape.at(-1)!;
  const config = layer.getConfig.bind(layer);
  layer.getConfig = () => ({ ...config(), depthMultiplier });
}
