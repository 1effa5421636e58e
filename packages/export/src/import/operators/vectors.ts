import { asFloat32 } from '../constant.ts';
import type { OperatorContext } from './context.ts';

interface Expected {
  readonly what: string;
  readonly length: number;
}

/** A constant of one number for each channel. */
export function vector(context: OperatorContext, index: number, expected: Expected): Float32Array {
  const values = optionalVector(context, index, expected);
  if (!values) throw new Error(`lacks its input ${index}, ${expected.what}`);
  return values;
}

export function optionalVector(
  context: OperatorContext,
  index: number,
  { what, length }: Expected,
): Float32Array | undefined {
  const constant = context.optionalConstant(index, what);
  if (!constant) return undefined;
  if (constant.dims.length !== 1 || constant.data.length !== length) {
    throw new Error(`has ${what} of shape [${constant.dims}]; expected [${length}]`);
  }
  return asFloat32(constant);
}

/** ONNX lists the values of its feature i; the layer has them at order[i]. */
export function inLayerOrder(values: Float32Array, order: Int32Array | undefined): Float32Array {
  if (!order) return values;
  const ordered = new Float32Array(values.length);
  order.forEach((place, i) => {
    ordered[place] = values[i]!;
  });
  return ordered;
}
