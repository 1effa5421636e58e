import { layers } from '@tensorflow/tfjs-layers';
import type { Operator } from './context.ts';
import { inLayerOrder, vector } from './vectors.ts';

const batchNormalization: Operator = (context) => {
  const x = context.views.plain(context.tensor());
  if (context.attributes.integer('training_mode', 0) !== 0) {
    throw new Error('normalises by the batch (training_mode 1); export the network in evaluation mode');
  }
  const seen = x.axes.length === 3 ? context.views.image(x) : context.views.features(x);
  const channels = seen.layer.shape.at(-1)!;
  const parameters = ['gamma', 'beta', 'moving_mean', 'moving_variance'].map((name, i) => {
    const values = vector(context, i + 1, { what: name, length: channels });
    return [name, { data: inLayerOrder(values, seen.order), shape: [channels] }] as const;
  });
  const epsilon = context.attributes.float('epsilon', 1e-5);
  const momentum = context.attributes.float('momentum', 0.9);
  return context.elementwise(seen, {
    weights: new Map(parameters),
    create: (name) => layers.batchNormalization({ name, axis: -1, epsilon, momentum }),
  });
};

export const normalizationOperators: Readonly<Record<string, Operator>> = { BatchNormalization: batchNormalization };
