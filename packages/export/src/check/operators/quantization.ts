import { axisOf, commonType, floatType, input, type NodeView, type Operators } from '../operator.ts';
import { describeDims, elementType, mayBeEqual } from '../value-type.ts';

/** One scale for the whole tensor, or one for each place along an axis. */
function expectScale(node: NodeView): void {
  const { dims } = input(node, 0);
  const scale = input(node, 1).dims;
  const zeroPoint = node.inputs[2]?.dims;
  if (scale && zeroPoint && describeDims(scale) !== describeDims(zeroPoint)) {
    throw new Error(`has scales ${describeDims(scale)}, but zero points ${describeDims(zeroPoint)}`);
  }
  if (!dims || !scale || scale.length === 0 || node.attributes.int('block_size', 0) > 0) return;
  const axis = axisOf(node.attributes.int('axis', 1), dims.length);
  if (scale.length > 1 || !mayBeEqual(scale[0], dims[axis])) {
    throw new Error(`has scales ${describeDims(scale)} for axis ${axis} of ${describeDims(dims)}`);
  }
}

export const quantizationOperators: Operators = {
  QuantizeLinear: {
    since: 10,
    inputs: [2, 3],
    attributes: {
      axis: { kind: 'int', since: 13 },
      saturate: { kind: 'int', since: 19 },
      block_size: { kind: 'int', since: 21 },
      output_dtype: { kind: 'int', since: 21 },
      precision: { kind: 'int', since: 23 },
    },
    infer(node) {
      expectScale(node);
      floatType(node, [0, 1]);
      const named = node.attributes.int('output_dtype', 0);
      const type = node.inputs[2] ? node.inputs[2].type : named > 0 ? elementType(named) : 'uint8';
      return { type, dims: input(node, 0).dims };
    },
  },
  DequantizeLinear: {
    since: 10,
    inputs: [2, 3],
    attributes: {
      axis: { kind: 'int', since: 13 },
      block_size: { kind: 'int', since: 21 },
      output_dtype: { kind: 'int', since: 23 },
    },
    infer(node) {
      expectScale(node);
      commonType(node, [0, 2]);
      return { type: floatType(node, [1]), dims: input(node, 0).dims };
    },
  },
};
