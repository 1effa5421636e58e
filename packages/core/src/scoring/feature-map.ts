import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type LayerNode, readNodes } from '../graph/nodes.ts';
import { activationName } from '../training/operations/index.ts';
import type { Program } from '../training/program.ts';

const ACTIVATIONS = new Set(['Activation', 'ELU', 'LeakyReLU', 'PReLU', 'ReLU', 'ThresholdedReLU']);
const ON_THE_WAY = new Set(['Add', 'BatchNormalization']);

/**
 * The step that puts out a layer's feature map: what its first activation makes of it, behind batch norm and an addition if
 * they come first. Without such an activation it is the layer's own output.
 */
export function featureMapStep(layer: string, { model, program }: { model: LayersModel; program: Program }): number {
  const nodes = readNodes(model);
  const own = program.stepOfLayer.get(layer)!;
  const path = [nodes.find(({ name }) => name === layer)!];
  if (activationName(path[0]!.layer) !== 'linear') return own + 1;
  for (;;) {
    const [reader, ...others] = nodes.filter(({ inputs }) => inputs.includes(path.at(-1)!));
    if (!reader || others.length > 0) return own;
    path.push(reader);
    if (ACTIVATIONS.has(reader.className)) return lastStep(path, program);
    if (!ON_THE_WAY.has(reader.className)) return own;
  }
}

/** A batch norm's step takes in the addition and the activation behind it. */
function lastStep(path: readonly LayerNode[], { stepOfLayer }: Program): number {
  return stepOfLayer.get(path.findLast(({ name }) => stepOfLayer.has(name))!.name)!;
}
