import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type LayerNode, readNodes } from '../graph/nodes.ts';
import type { Program } from '../training/program.ts';

const ACTIVATIONS = new Set(['Activation', 'ELU', 'LeakyReLU', 'PReLU', 'ReLU', 'ThresholdedReLU']);
const ON_THE_WAY = new Set(['Add', 'BatchNormalization']);

/**
 * The step that puts out a layer's feature map: what its first activation makes of it, behind batch norm and an addition if
 * they come first. Without such an activation it is the layer's own output.
 */
export function featureMapStep(layer: string, { model, program }: { model: LayersModel; program: Program }): number {
  const own = program.stepOfLayer.get(layer)!;
  if (program.steps[own + 1]?.node === program.steps[own]!.node) return own + 1;
  const nodes = readNodes(model);
  const path = [nodes.find(({ name }) => name === layer)!];
  if (activationOf(path[0]!) !== 'linear') return own;
  for (;;) {
    const [reader, ...others] = nodes.filter(({ inputs }) => inputs.includes(path.at(-1)!));
    if (!reader || others.length > 0) return own;
    path.push(reader);
    if (ACTIVATIONS.has(reader.className)) return lastStep(path, program);
    if (!ON_THE_WAY.has(reader.className)) return own;
  }
}

function activationOf({ layer }: LayerNode): unknown {
  return layer.getConfig().activation ?? 'linear';
}

/** A batch norm's step takes in the addition and the activation behind it. */
function lastStep(path: readonly LayerNode[], { stepOfLayer }: Program): number {
  return stepOfLayer.get(path.findLast(({ name }) => stepOfLayer.has(name))!.name)!;
}
