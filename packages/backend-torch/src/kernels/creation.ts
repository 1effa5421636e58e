import * as tf from '@tensorflow/tfjs-core';
import type { NativeDtype } from '../binding.ts';
import { BACKEND_NAME, type KernelCall, kernel, NATIVE } from '../kernel.ts';
import { viaCpu } from '../via-cpu.ts';

interface Input {
  readonly x: tf.TensorInfo;
}

const likeKernel = (kernelName: string, value: number) =>
  kernel<Input, unknown>(kernelName, { dtypes: NATIVE }, ({ inputs: { x }, backend }) => {
    const dtype = x.dtype as NativeDtype;
    return backend.make(backend.native.filled(x.shape, value, dtype), x.shape, dtype);
  });

const fillViaCpu = viaCpu(tf.Fill);

const fill: tf.KernelConfig = {
  kernelName: tf.Fill,
  backendName: BACKEND_NAME,
  kernelFunc: (params) => {
    const { attrs, backend } = params as unknown as KernelCall<unknown, tf.FillAttrs>;
    const { shape, value } = attrs;
    const dtype = attrs.dtype ?? tf.util.inferDtype(value);
    if (typeof value === 'string' || !NATIVE.includes(dtype)) return fillViaCpu(params);
    const stored = dtype === 'float32' ? value : dtype === 'int32' ? value | 0 : Number(value !== 0);
    return backend.make(backend.native.filled(shape, stored, dtype as NativeDtype), shape, dtype as NativeDtype);
  },
};

export const creationKernels = [
  fill,
  likeKernel(tf.ZerosLike, 0),
  likeKernel(tf.OnesLike, 1),

  kernel<{ indices: tf.TensorInfo }, tf.OneHotAttrs>(
    tf.OneHot,
    { dtypes: ['int32'], when: ({ attrs }) => attrs.dtype === 'float32' || attrs.dtype === 'int32' },
    ({ inputs: { indices }, attrs: { depth, onValue, offValue, dtype }, backend }) =>
      backend.make(
        backend.native.oneHot(backend.handle(indices), depth, onValue, offValue, dtype === 'float32'),
        [...indices.shape, depth],
        dtype as NativeDtype,
      ),
  ),
];
