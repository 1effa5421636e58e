import { commonType, dimsOfRank, floatType, input, type Operators } from '../operator.ts';
import { broadcast, type Dim, describeDims, mayBeEqual } from '../value-type.ts';

function expectEqual(a: Dim, b: Dim): void {
  if (!mayBeEqual(a, b)) throw new Error(`multiplies matrices whose inner sizes are ${a} and ${b}`);
}

/** NumPy's rules: vectors count as a row or a column, axes before the last two are broadcast. */
function productShape(left: readonly Dim[], right: readonly Dim[]): Dim[] | undefined {
  if (left.length === 0 || right.length === 0) throw new Error('multiplies a scalar');
  const rows = left.length === 1 ? [] : [left.at(-2)];
  const columns = right.length === 1 ? [] : [right.at(-1)];
  expectEqual(left.at(-1), right.length === 1 ? right[0] : right.at(-2));
  const stack = broadcast([left.slice(0, -2), right.slice(0, -2)]);
  return stack && [...stack, ...rows, ...columns];
}

export const linearOperators: Operators = {
  Gemm: {
    inputs: (opset) => [opset < 11 ? 3 : 2, 3],
    attributes: { alpha: 'float', beta: 'float', transA: 'int', transB: 'int' },
    infer(node) {
      const type = commonType(node);
      const [a, b] = [dimsOfRank(node, 0, 2), dimsOfRank(node, 1, 2)];
      if (!a || !b) return { type, dims: undefined };
      const [rows, inner] = node.attributes.int('transA', 0) ? [a[1], a[0]] : a;
      const [innerToo, columns] = node.attributes.int('transB', 0) ? [b[1], b[0]] : b;
      expectEqual(inner, innerToo);
      const bias = node.inputs[2]?.dims;
      const fits = bias?.every((dim, i) => dim === 1 || mayBeEqual(dim, [rows, columns].at(i - bias.length)));
      if (bias && (bias.length > 2 || !fits)) {
        throw new Error(`adds a bias ${describeDims(bias)} to ${describeDims([rows, columns])}`);
      }
      return { type, dims: [rows, columns] };
    },
  },
  MatMul: {
    inputs: [2, 2],
    infer(node) {
      const [a, b] = [input(node, 0).dims, input(node, 1).dims];
      return { type: commonType(node), dims: a && b && productShape(a, b) };
    },
  },
  Einsum: {
    since: 12,
    inputs: [1, Number.POSITIVE_INFINITY],
    attributes: { equation: { kind: 'string', required: true } },
    infer(node) {
      const type = commonType(node);
      const equation = node.attributes.string('equation', '').replaceAll(' ', '');
      const [terms, result] = equation.split('->') as [string, string?];
      if (result === undefined || equation.includes('.')) return { type, dims: undefined };
      const sizes = new Map<string, Dim>();
      for (const [index, term] of terms.split(',').entries()) {
        const dims = dimsOfRank(node, index, term.length);
        for (const [axis, letter] of [...term].entries()) {
          expectEqual(sizes.get(letter), dims?.[axis]);
          sizes.set(letter, sizes.get(letter) ?? dims?.[axis]);
        }
      }
      return { type, dims: [...result].map((letter) => sizes.get(letter)) };
    },
  },
};

export const normalizationOperators: Operators = {
  BatchNormalization: {
    inputs: [5, 5],
    attributes: {
      epsilon: 'float',
      momentum: 'float',
      spatial: { kind: 'int', until: 8 },
      training_mode: { kind: 'int', since: 14 },
    },
    infer(node) {
      const { dims } = input(node, 0);
      for (const parameter of [1, 2, 3, 4]) expectChannels(input(node, parameter).dims, dims?.[1]);
      return { type: floatType(node), dims };
    },
  },
  InstanceNormalization: {
    inputs: [3, 3],
    attributes: { epsilon: 'float' },
    infer(node) {
      const { dims } = input(node, 0);
      for (const parameter of [1, 2]) expectChannels(input(node, parameter).dims, dims?.[1]);
      return { type: floatType(node), dims };
    },
  },
  GroupNormalization: {
    since: 18,
    inputs: [3, 3],
    attributes: {
      epsilon: 'float',
      num_groups: { kind: 'int', required: true },
      stash_type: { kind: 'int', since: 21 },
    },
    infer: (node) => ({ type: floatType(node), dims: input(node, 0).dims }),
  },
  LayerNormalization: {
    since: 17,
    inputs: [2, 3],
    attributes: { axis: 'int', epsilon: 'float', stash_type: 'int' },
    infer(node) {
      const { dims } = input(node, 0);
      const scale = input(node, 1).dims;
      if (dims && scale) broadcast([dims, scale]);
      return { type: floatType(node), dims };
    },
  },
  LRN: {
    inputs: [1, 1],
    attributes: { alpha: 'float', beta: 'float', bias: 'float', size: { kind: 'int', required: true } },
    infer: (node) => ({ type: floatType(node), dims: input(node, 0).dims }),
  },
};

function expectChannels(dims: readonly Dim[] | undefined, channels: Dim): void {
  if (dims && (dims.length !== 1 || !mayBeEqual(dims[0], channels))) {
    throw new Error(`has a parameter ${describeDims(dims)} for ${channels} channels`);
  }
}
