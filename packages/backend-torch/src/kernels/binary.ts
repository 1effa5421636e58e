import * as tf from '@tensorflow/tfjs-core';
import type { BinaryName, NativeDtype } from '../binding.ts';
import { kernel, NATIVE, NUMERIC } from '../kernel.ts';
import { foldAdd } from './deferred-convolution.ts';

interface BinaryInputs {
  readonly a: tf.TensorInfo;
  readonly b: tf.TensorInfo;
}

const { assertAndGetBroadcastShape, upcastType } = tf.backend_util;

function binary(
  kernelName: string,
  name: BinaryName,
  dtypes: readonly tf.DataType[],
  result: (inputs: BinaryInputs) => tf.DataType,
) {
  return kernel<BinaryInputs, unknown>(kernelName, { dtypes }, ({ inputs, backend }) => {
    const { a, b } = inputs;
    const folded = kernelName === tf.Add ? foldAdd(backend, a, b) : undefined;
    if (folded) return folded;
    const shape = assertAndGetBroadcastShape(a.shape, b.shape);
    const handle = backend.native[name](backend.handle(a), backend.handle(b));
    return backend.make(handle, shape, result(inputs) as NativeDtype);
  });
}

const widest = ({ a, b }: BinaryInputs) => upcastType(a.dtype, b.dtype);
const bool = () => 'bool' as const;

/** Integers overflow and divide by zero in JavaScript's own way, so only what agrees takes int32 natively. */
const ARITHMETIC: ReadonlyArray<readonly [string, BinaryName, readonly tf.DataType[]]> = [
  [tf.Add, 'add', NUMERIC],
  [tf.Sub, 'sub', NUMERIC],
  [tf.Multiply, 'mul', ['float32']],
  [tf.RealDiv, 'div', ['float32']],
  [tf.Maximum, 'maximum', NUMERIC],
  [tf.Minimum, 'minimum', NUMERIC],
  [tf.Mod, 'remainder', ['float32']],
  [tf.Pow, 'pow', ['float32']],
  [tf.SquaredDifference, 'squaredDifference', ['float32']],
  [tf.Atan2, 'atan2', ['float32']],
];

const COMPARISON: ReadonlyArray<readonly [string, BinaryName]> = [
  [tf.Equal, 'equal'],
  [tf.NotEqual, 'notEqual'],
  [tf.Less, 'less'],
  [tf.LessEqual, 'lessEqual'],
  [tf.Greater, 'greater'],
  [tf.GreaterEqual, 'greaterEqual'],
];

const LOGICAL: ReadonlyArray<readonly [string, BinaryName]> = [
  [tf.LogicalAnd, 'logicalAnd'],
  [tf.LogicalOr, 'logicalOr'],
];

export const binaryKernels = [
  ...ARITHMETIC.map(([kernelName, name, dtypes]) => binary(kernelName, name, dtypes, widest)),
  ...COMPARISON.map(([kernelName, name]) => binary(kernelName, name, NATIVE, bool)),
  binary(tf.LogicalXor, 'logicalXor', NATIVE, bool),
  ...LOGICAL.map(([kernelName, name]) => binary(kernelName, name, ['bool'], bool)),
  binary(tf.FloorDiv, 'floorDiv', NUMERIC, () => 'int32'),

  kernel<{ dy: tf.TensorInfo; y: tf.TensorInfo }, unknown>(tf.EluGrad, {}, ({ inputs: { dy, y }, backend }) =>
    backend.make(backend.native.eluGrad(backend.handle(dy), backend.handle(y)), y.shape),
  ),

  kernel<{ x: tf.TensorInfo; alpha: tf.TensorInfo }, unknown>(tf.Prelu, {}, ({ inputs: { x, alpha }, backend }) =>
    backend.make(
      backend.native.prelu(backend.handle(x), backend.handle(alpha)),
      assertAndGetBroadcastShape(x.shape, alpha.shape),
    ),
  ),

  kernel<tf.TensorInfo[], unknown>(
    tf.AddN,
    { when: ({ inputs }) => inputs.every((term) => tf.util.arraysEqual(term.shape, inputs[0]!.shape)) },
    ({ inputs, backend }) => {
      const handles = inputs.map((term) => backend.handle(term));
      return backend.make(backend.native.addN(handles), inputs[0]!.shape);
    },
  ),

  kernel<{ condition: tf.TensorInfo; t: tf.TensorInfo; e: tf.TensorInfo }, unknown>(
    tf.Select,
    { dtypes: NATIVE },
    ({ inputs: { condition, t, e }, backend }) =>
      backend.make(
        backend.native.select(backend.handle(condition), backend.handle(t), backend.handle(e)),
        t.shape,
        upcastType(t.dtype, e.dtype) as NativeDtype,
      ),
  ),
];
