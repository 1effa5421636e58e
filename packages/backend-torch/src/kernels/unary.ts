import * as tf from '@tensorflow/tfjs-core';
import type { NativeDtype, UnaryName } from '../binding.ts';
import { kernel, NATIVE } from '../kernel.ts';
import { foldRelu } from './deferred-convolution.ts';

const FLOAT: Readonly<Record<string, UnaryName>> = {
  [tf.Abs]: 'abs',
  [tf.Acos]: 'acos',
  [tf.Acosh]: 'acosh',
  [tf.Asin]: 'asin',
  [tf.Asinh]: 'asinh',
  [tf.Atan]: 'atan',
  [tf.Atanh]: 'atanh',
  [tf.Ceil]: 'ceil',
  [tf.Cos]: 'cos',
  [tf.Cosh]: 'cosh',
  [tf.Elu]: 'elu',
  [tf.Erf]: 'erf',
  [tf.Exp]: 'exp',
  [tf.Expm1]: 'expm1',
  [tf.Floor]: 'floor',
  [tf.Log]: 'log',
  [tf.Log1p]: 'log1p',
  [tf.Neg]: 'neg',
  [tf.Reciprocal]: 'reciprocal',
  [tf.Round]: 'round',
  [tf.Rsqrt]: 'rsqrt',
  [tf.Selu]: 'selu',
  [tf.Sigmoid]: 'sigmoid',
  [tf.Sign]: 'sign',
  [tf.Sin]: 'sin',
  [tf.Sinh]: 'sinh',
  [tf.Softplus]: 'softplus',
  [tf.Sqrt]: 'sqrt',
  [tf.Square]: 'square',
  [tf.Tan]: 'tan',
  [tf.Tanh]: 'tanh',
};

const TEST: Readonly<Record<string, UnaryName>> = {
  [tf.IsNan]: 'isNan',
  [tf.IsInf]: 'isInf',
  [tf.IsFinite]: 'isFinite',
};

const unary = (kernelName: string, name: UnaryName, result: NativeDtype, input: NativeDtype) =>
  kernel<tf.UnaryInputs & { x: tf.TensorInfo }, unknown>(
    kernelName,
    { dtypes: [input] },
    ({ inputs: { x }, backend }) => backend.make(backend.native[name](backend.handle(x)), x.shape, result),
  );

export const unaryKernels = [
  ...Object.entries(FLOAT).map(([kernelName, name]) => unary(kernelName, name, 'float32', 'float32')),
  ...Object.entries(TEST).map(([kernelName, name]) => unary(kernelName, name, 'bool', 'float32')),
  kernel<{ x: tf.TensorInfo }, unknown>(
    tf.Relu,
    {},
    ({ inputs: { x }, backend }) =>
      foldRelu(backend, x) ?? backend.make(backend.native.relu(backend.handle(x)), x.shape),
  ),
  kernel<{ x: tf.TensorInfo }, unknown>(
    tf.Relu6,
    {},
    ({ inputs: { x }, backend }) =>
      foldRelu(backend, x, { kernel: tf.Relu6, most: 6 }) ??
      backend.make(backend.native.relu6(backend.handle(x)), x.shape),
  ),
  unary(tf.LogicalNot, 'logicalNot', 'bool', 'bool'),

  kernel<{ x: tf.TensorInfo }, tf.StepAttrs>(tf.Step, {}, ({ inputs: { x }, attrs, backend }) =>
    backend.make(backend.native.step(backend.handle(x), attrs.alpha), x.shape),
  ),

  kernel<{ x: tf.TensorInfo }, { alpha: number }>(tf.LeakyRelu, {}, ({ inputs: { x }, attrs, backend }) =>
    backend.make(backend.native.leakyRelu(backend.handle(x), attrs.alpha), x.shape),
  ),

  kernel<{ x: tf.TensorInfo }, tf.ClipByValueAttrs>(tf.ClipByValue, {}, ({ inputs: { x }, attrs, backend }) => {
    // Number.MAX_VALUE, as tfjs-layers gives it, is no float32: nothing is beyond it.
    const [least, most] = [Math.fround(attrs.clipValueMin), Math.fround(attrs.clipValueMax)];
    const folded = least === 0 && most >= 0 ? foldRelu(backend, x, { kernel: tf.ClipByValue, most }) : undefined;
    return folded ?? backend.make(backend.native.clip(backend.handle(x), least, most), x.shape);
  }),

  kernel<{ x: tf.TensorInfo }, tf.CastAttrs>(
    tf.Cast,
    { dtypes: NATIVE, when: ({ attrs }) => NATIVE.includes(attrs.dtype) },
    ({ inputs: { x }, attrs, backend }) => {
      if (attrs.dtype === x.dtype) return backend.share(x);
      const dtype = attrs.dtype as NativeDtype;
      return backend.make(backend.native.cast(backend.handle(x), dtype), x.shape, dtype);
    },
  ),
];
