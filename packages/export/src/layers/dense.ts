import { applyActivation, refuseActivation } from './activation.ts';
import { configOf, type LayerContext, type LayerConverter, type Value } from './converter.ts';
import { convolve } from './convolution.ts';
import { transpose } from './layout.ts';

interface Weights {
  /** [features, units] */
  readonly kernel: Float32Array;
  readonly bias: Float32Array | undefined;
}

/** A vector of [batch, features], in whatever order. */
function gemm(context: LayerContext, { name, shape, featureOrder }: Value, { kernel, bias }: Weights): string {
  const [features, units] = [shape[0]!, context.outputShape[0]!];
  const rows = featureOrder ? reorderRows(kernel, featureOrder, units) : kernel;
  const operands = [name, context.constant('kernel', transpose(rows, [features, units], [1, 0]), [units, features])];
  if (bias) operands.push(context.constant('bias', bias, [units]));
  return context.op('Gemm', operands, { attributes: { transB: { int: 1 } } });
}

/** A dense layer at each position of a map in channels first is a convolution of one pixel. */
function pointwise(context: LayerContext, { name: x, shape }: Value, { kernel, bias }: Weights): string {
  const [features, units] = [shape.at(-1)!, context.outputShape.at(-1)!];
  const input = shape.slice(0, -1);
  const ones = input.map(() => 1);
  const weights = transpose(kernel, [features, units], [1, 0]);
  return convolve(context, {
    x,
    kernel: context.constant('kernel', weights, [units, features, ...ones]),
    bias: bias && context.constant('bias', bias, [units]),
    ...{ input, size: ones, strides: ones, padding: 'valid' },
  });
}

/** Multiplies the last axis of a value in channels last by a kernel; `prefix` goes before the names of what it takes to do so. */
export function project(
  context: LayerContext,
  x: string,
  { kernel, bias }: Weights,
  { prefix = '', part = '', units = context.outputShape.at(-1)! } = {},
): string {
  const weights = context.constant(`${prefix}kernel`, kernel, [kernel.length / units, units]);
  const product = context.op('MatMul', [x, weights], { part: bias ? `${prefix}matmul` : part });
  if (!bias) return product;
  return context.op('Add', [product, context.constant(`${prefix}bias`, bias, [units])], { part });
}

export const denseLayers: Readonly<Record<string, LayerConverter>> = {
  Dense: {
    reads: 'any',
    refuse: refuseActivation,
    async convert(context) {
      const [x] = context.inputs;
      const { useBias } = configOf<{ useBias: boolean }>(context.node);
      const weights = {
        kernel: await context.weight('kernel'),
        bias: useBias ? await context.weight('bias') : undefined,
      };
      const write = {
        vector: () => gemm(context, x, weights),
        channelsFirst: () => pointwise(context, x, weights),
        channelsLast: () => project(context, x.name, weights),
      }[x.shape.length === 1 ? 'vector' : x.layout];
      return applyActivation(context, { name: write(), layout: x.layout });
    },
  },
};

/** Rows of a kernel [features, units] in the order in which ONNX lists the features. */
function reorderRows(kernel: Float32Array, featureOrder: Int32Array, units: number): Float32Array {
  const reordered = new Float32Array(kernel.length);
  featureOrder.forEach((feature, row) => {
    reordered.set(kernel.subarray(feature * units, (feature + 1) * units), row * units);
  });
  return reordered;
}
