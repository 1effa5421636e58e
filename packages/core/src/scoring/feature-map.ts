import type { LayerNode } from '../graph/nodes.ts';
import type { Program } from '../training/program.ts';

const ACTIVATIONS = new Set(['Activation', 'ELU', 'LeakyReLU', 'PReLU', 'ReLU', 'ThresholdedReLU']);
const ON_THE_WAY = new Set(['Add', 'BatchNormalization']);

/**
 * The step that puts out the feature map of one application of a layer: what its first activation makes of it, behind batch norm and an
 * addition if they come first. Without such an activation it is the layer's own output.
 */
export function featureMapStep(application: LayerNode, { nodes, steps, stepOf }: Program): number {
  const own = stepOf.get(application)!;
  if (steps[own + 1]?.node === application) return own + 1;
  const path = [application];
  if (activationOf(application) !== 'linear') return own;
  for (;;) {
    const [reader, ...others] = nodes.filter(({ inputs }) => inputs.includes(path.at(-1)!));
    if (!reader || others.length > 0) return own;
    path.push(reader);
    // A batch norm's step takes in the addition and the activation behind it.
    if (ACTIVATIONS.has(reader.className)) return stepOf.get(path.findLast((node) => stepOf.has(node))!)!;
    if (!ON_THE_WAY.has(reader.className)) return own;
  }
}

function activationOf({ layer }: LayerNode): unknown {
  return layer.getConfig().activation ?? 'linear';
}
