import * as tf from '@tensorflow/tfjs-core';
import { kernel, NATIVE } from '../kernel.ts';

interface Inputs {
  readonly sortedSequence: tf.TensorInfo;
  readonly values: tf.TensorInfo;
}

const search = <Attrs>(kernelName: string, side: (attrs: Attrs) => 'left' | 'right') =>
  kernel<Inputs, Attrs>(kernelName, { dtypes: NATIVE }, ({ inputs: { sortedSequence, values }, attrs, backend }) => {
    const right = side(attrs) === 'right';
    const positions = backend.native.searchSorted(backend.handle(sortedSequence), backend.handle(values), right);
    return backend.make(positions, values.shape, 'int32');
  });

export const searchKernels = [
  search<tf.SearchSortedAttrs>(tf.SearchSorted, ({ side }) => side),
  search(tf.LowerBound, () => 'left'),
  search(tf.UpperBound, () => 'right'),
];
