import * as tf from '@tensorflow/tfjs-core';
import { kernel } from '../kernel.ts';
import { computesInBfloat16 } from '../precision.ts';

interface Factors {
  readonly a: tf.TensorInfo;
  readonly b: tf.TensorInfo;
}

function productShape({ a, b }: Factors, { transposeA, transposeB }: tf.BatchMatMulAttrs): number[] {
  const rows = a.shape.at(transposeA ? -1 : -2)!;
  const columns = b.shape.at(transposeB ? -2 : -1)!;
  const innerA = a.shape.at(transposeA ? -2 : -1)!;
  const innerB = b.shape.at(transposeB ? -1 : -2)!;
  if (innerA !== innerB) {
    throw new Error(`matMul: the inner sizes ${innerA} and ${innerB} of [${a.shape}] and [${b.shape}] differ.`);
  }
  const batch = tf.backend_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  return [...batch, rows, columns];
}

export const matmulKernels = [
  kernel<Factors, tf.BatchMatMulAttrs>(tf.BatchMatMul, {}, ({ inputs, attrs, backend }) => {
    const shape = productShape(inputs, attrs);
    const { native } = backend;
    const a = backend.handle(inputs.a);
    const b = backend.handle(inputs.b);
    return backend.make(native.matmul(a, b, attrs.transposeA, attrs.transposeB, computesInBfloat16()), shape);
  }),

  kernel<Factors & { bias?: tf.TensorInfo }, tf._FusedMatMulAttrs>(
    tf._FusedMatMul,
    { when: ({ attrs }) => attrs.activation !== 'prelu' },
    ({ inputs, attrs, backend }) => {
      const shape = productShape(inputs, attrs);
      const y = backend.native.fusedMatmul(
        backend.handle(inputs.a),
        backend.handle(inputs.b),
        backend.optionalHandle(inputs.bias),
        attrs.transposeA,
        attrs.transposeB,
        computesInBfloat16(),
        attrs.activation,
        attrs.leakyreluAlpha ?? 0.2,
      );
      return backend.make(y, shape);
    },
  ),
];
