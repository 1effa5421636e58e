import { applyActivation, refuseActivation } from './activation.ts';
import { configOf, type LayerConverter } from './converter.ts';

export const denseLayers: Readonly<Record<string, LayerConverter>> = {
  Dense: {
    takesAnyFeatureOrder: true,
    refuse(node) {
      const rank = node.outputShape.length;
      return rank === 2 ? refuseActivation(node) : `input of rank ${rank}; only [batch, features] is supported`;
    },
    async convert(context) {
      const [{ name, shape, featureOrder }] = context.inputs;
      const features = shape[0]!;
      const units = context.outputShape[0]!;
      const weights = transpose(await context.weight('kernel'), features, units, featureOrder);
      const operands = [name, context.constant('kernel', weights, [units, features])];
      if (configOf<{ useBias: boolean }>(context.node).useBias) {
        operands.push(context.constant('bias', await context.weight('bias'), [units]));
      }
      return applyActivation(context, context.op('Gemm', operands, { attributes: { transB: { int: 1 } } }));
    },
  },
};

/** [features, units] -> [units, features], the features in the order in which ONNX lists them. */
function transpose(kernel: Float32Array, features: number, units: number, featureOrder?: Int32Array): Float32Array {
  const transposed = new Float32Array(kernel.length);
  for (let feature = 0; feature < features; feature++) {
    const row = (featureOrder?.[feature] ?? feature) * units;
    for (let unit = 0; unit < units; unit++) transposed[unit * features + feature] = kernel[row + unit]!;
  }
  return transposed;
}
