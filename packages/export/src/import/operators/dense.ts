import { layers } from '@tensorflow/tfjs-layers';
import { type Constant, floats } from '../constant.ts';
import { type TensorValue, viewOf } from '../value.ts';
import type { Operator, OperatorContext } from './context.ts';
import { absorbIntoKernel } from './kernels.ts';

interface Matrix {
  readonly matrix: Constant;
  readonly transposed: boolean;
  readonly alpha: number;
}

function dense(context: OperatorContext, { matrix, transposed, alpha }: Matrix, bias?: Float32Array): TensorValue {
  const x = context.views.features(context.tensor());
  const features = x.layer.shape[0]!;
  if (matrix.dims.length !== 2) throw new Error(`multiplies by a tensor of shape [${matrix.dims}]; expected a matrix`);
  const [inputs, units] = (transposed ? [...matrix.dims].reverse() : matrix.dims) as [number, number];
  if (inputs !== features || units < 1) {
    throw new Error(`multiplies [batch, ${features}] by a matrix of ${inputs} rows and ${units} columns`);
  }
  context.budget.compute(inputs * units);
  const data = new Float32Array(inputs * units);
  const [rowStride, columnStride] = transposed ? [1, inputs] : [units, 1];
  for (let input = 0; input < inputs; input++) {
    const row = (x.order?.[input] ?? input) * units;
    const from = input * rowStride;
    for (let unit = 0; unit < units; unit++) data[row + unit] = alpha * matrix.data[from + unit * columnStride]!;
  }
  const layer = context.layer({
    shape: [units],
    inputs: [x.layer],
    weights: new Map([
      ['kernel', { data, shape: [inputs, units] }] as const,
      ...(bias ? [['bias', { data: bias, shape: [units] }] as const] : []),
    ]),
    absorb: absorbIntoKernel('kernel'),
    create: (name, weights) => layers.dense({ name, units, useBias: weights.has('bias'), kernelInitializer: 'zeros' }),
  });
  return viewOf(layer);
}

/** alpha * x B + beta * C */
const gemm: Operator = (context) => {
  const { attributes } = context;
  if (attributes.integer('transA', 0) !== 0)
    throw new Error('transposes its input (transA); expected [batch, features]');
  const transposed = attributes.integer('transB', 0) !== 0;
  const matrix = context.constant(1, 'the weights');
  const units = matrix.dims[transposed ? 0 : 1] ?? 0;
  const summand = context.optionalConstant(2, 'the bias') ?? floats(new Float32Array(1), []);
  const beta = attributes.float('beta', 1);
  const isRow = summand.dims.every((size, i) => size === 1 || (i === summand.dims.length - 1 && size === units));
  if (!isRow || summand.data.length < 1)
    throw new Error(`adds a tensor of shape [${summand.dims}]; expected [${units}]`);
  const bias = Float32Array.from({ length: units }, (_, i) => beta * summand.data[summand.data.length === 1 ? 0 : i]!);
  const weights = { matrix, transposed, alpha: attributes.float('alpha', 1) };
  return dense(context, weights, context.input(2) ? bias : undefined);
};

/** A bias that is added behind it becomes part of the layer. */
const matMul: Operator = (context) =>
  dense(context, { matrix: context.constant(1, 'the weights'), transposed: false, alpha: 1 });

export const denseOperators: Readonly<Record<string, Operator>> = { Gemm: gemm, MatMul: matMul };
