import {
  commonType,
  expectDims,
  floatType,
  type InputCount,
  input,
  type NodeView,
  type Operator,
  type Operators,
} from '../operator.ts';
import { broadcast, elementType } from '../value-type.ts';

const same = (node: NodeView) => ({ type: floatType(node, [0]), dims: input(node, 0).dims });

function unary(attributes: Operator['attributes'] = {}, since = 7): Operator {
  return { since, inputs: [1, 1], attributes, infer: same };
}

const anyUnary: Operator = {
  inputs: [1, 1],
  infer: (node) => ({ type: input(node, 0).type, dims: input(node, 0).dims }),
};

function broadcasting(inputs: InputCount, { result, since = 7 }: { result?: string; since?: number } = {}): Operator {
  return {
    since,
    inputs,
    infer(node) {
      const type = commonType(node);
      return { type: result ?? type, dims: broadcast(node.inputs.map((value) => value?.dims)) };
    },
  };
}

const binary = broadcasting([2, 2]);
const variadic = broadcasting([1, Number.POSITIVE_INFINITY]);
const comparison = broadcasting([2, 2], { result: 'bool' });
const comparisonOrEqual = broadcasting([2, 2], { result: 'bool', since: 12 });

const overAxis: Operator = {
  inputs: [1, 1],
  attributes: { axis: 'int' },
  infer(node) {
    const { dims } = input(node, 0);
    const axis = node.attributes.int('axis', -1);
    if (dims && (axis >= dims.length || axis < -dims.length))
      throw new Error(`has axis ${axis} of ${dims.length} axes`);
    return same(node);
  },
};

export const elementwiseOperators: Operators = {
  Relu: anyUnary,
  Abs: anyUnary,
  Neg: anyUnary,
  Sign: { ...anyUnary, since: 9 },
  Sigmoid: unary(),
  Tanh: unary(),
  Erf: { ...anyUnary, since: 9 },
  Exp: unary(),
  Log: unary(),
  Sqrt: unary(),
  Reciprocal: unary(),
  Floor: unary(),
  Ceil: unary(),
  Round: unary({}, 11),
  Sin: unary(),
  Cos: unary(),
  Atan: unary(),
  Softplus: unary(),
  Softsign: unary(),
  HardSwish: unary({}, 14),
  Mish: unary({}, 18),
  Elu: unary({ alpha: 'float' }),
  Celu: unary({ alpha: 'float' }, 12),
  Selu: unary({ alpha: 'float', gamma: 'float' }),
  LeakyRelu: unary({ alpha: 'float' }),
  ThresholdedRelu: unary({ alpha: 'float' }),
  HardSigmoid: unary({ alpha: 'float', beta: 'float' }),
  Gelu: unary({ approximate: 'string' }, 20),
  Softmax: overAxis,
  LogSoftmax: overAxis,
  Hardmax: overAxis,
  Add: binary,
  Sub: binary,
  Mul: binary,
  Div: binary,
  Pow: {
    ...binary,
    infer: (node) => ({ type: input(node, 0).type, dims: broadcast(node.inputs.map((value) => value?.dims)) }),
  },
  Mod: { ...binary, since: 10, attributes: { fmod: 'int' } },
  Max: variadic,
  Min: variadic,
  Mean: variadic,
  Sum: variadic,
  Equal: comparison,
  Less: comparison,
  LessOrEqual: comparisonOrEqual,
  Greater: comparison,
  GreaterOrEqual: comparisonOrEqual,
  And: comparison,
  Or: comparison,
  Not: { inputs: [1, 1], infer: (node) => ({ type: 'bool', dims: input(node, 0).dims }) },
  Where: {
    since: 9,
    inputs: [3, 3],
    infer: (node) => ({ type: commonType(node, [1, 2]), dims: broadcast(node.inputs.map((value) => value?.dims)) }),
  },
  Clip: {
    inputs: (opset) => [1, opset < 11 ? 1 : 3],
    attributes: { min: { kind: 'float', until: 10 }, max: { kind: 'float', until: 10 } },
    infer(node) {
      for (const bound of [1, 2]) expectDims(node, bound, []);
      return { type: commonType(node), dims: input(node, 0).dims };
    },
  },
  PRelu: {
    inputs: [2, 2],
    infer(node) {
      const { dims } = input(node, 0);
      const result = broadcast([dims, input(node, 1).dims]);
      if (dims && result && result.length > dims.length) throw new Error('has a slope with more axes than its input');
      return { type: floatType(node), dims };
    },
  },
  Cast: {
    inputs: [1, 1],
    attributes: {
      to: { kind: 'int', required: true },
      saturate: { kind: 'int', since: 19 },
      round_mode: { kind: 'string', since: 24 },
    },
    infer(node) {
      const { dims, contents } = input(node, 0);
      const type = elementType(node.attributes.int('to', 0));
      if (!type) throw new Error(`casts to the unknown type ${node.attributes.int('to', 0)}`);
      return { type, dims, contents };
    },
  },
  Identity: { inputs: [1, 1], infer: (node) => input(node, 0) },
  Dropout: {
    inputs: (opset) => [1, opset < 12 ? 1 : 3],
    outputs: 2,
    attributes: { seed: { kind: 'int', since: 12 }, ratio: { kind: 'float', until: 11 } },
    infer(node) {
      const { type, dims } = input(node, 0);
      return [
        { type, dims },
        { type: node.opset < 10 ? type : 'bool', dims },
      ].slice(0, node.outputs);
    },
  },
};
