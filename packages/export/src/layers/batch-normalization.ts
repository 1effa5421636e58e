import { configOf, type LayerConverter } from './converter.ts';

interface BatchNormalizationConfig {
  readonly axis: number;
  readonly epsilon: number;
  readonly center: boolean;
  readonly scale: boolean;
}

export const normalizationLayers: Readonly<Record<string, LayerConverter>> = {
  BatchNormalization: {
    takesAnyFeatureOrder: true,
    refuse(node) {
      const { axis } = configOf<BatchNormalizationConfig>(node);
      const last = node.outputShape.length - 1;
      return axis === -1 || axis === last ? undefined : `axis ${axis}; only the channel axis (-1) is supported`;
    },
    async convert(context) {
      const [{ name, featureOrder }] = context.inputs;
      const { epsilon, center, scale } = configOf<BatchNormalizationConfig>(context.node);
      const channels = context.outputShape[0]!;
      const parameter = (part: string, values: Float32Array) =>
        context.constant(part, featureOrder ? Float32Array.from(featureOrder, (i) => values[i]!) : values, [channels]);
      const operands = [
        parameter('gamma', scale ? await context.weight('gamma') : new Float32Array(channels).fill(1)),
        parameter('beta', center ? await context.weight('beta') : new Float32Array(channels)),
        parameter('moving_mean', await context.weight('moving_mean')),
        parameter('moving_variance', await context.weight('moving_variance')),
      ];
      const attributes = { epsilon: { float: epsilon } };
      return { name: context.op('BatchNormalization', [name, ...operands], { attributes }), featureOrder };
    },
  },
};
