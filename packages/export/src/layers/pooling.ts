import type { Attributes } from '../graph/onnx-graph.ts';
import { configOf, type LayerConverter, refuseChannelsFirst } from './converter.ts';
import { explicitPads } from './same-padding.ts';

interface PoolingConfig {
  readonly poolSize: readonly number[];
  readonly strides: readonly number[];
  readonly padding: string;
}

/** Over windows along one, two or three axes. */
function pooling(opType: string, extra: Attributes = {}): LayerConverter {
  return {
    refuse: refuseChannelsFirst,
    convert(context) {
      const { poolSize: size, strides, padding } = configOf<PoolingConfig>(context.node);
      const [{ name, shape }] = context.inputs;
      return context.op(opType, [name], {
        attributes: {
          kernel_shape: { ints: size },
          strides: { ints: strides },
          pads: { ints: explicitPads({ input: shape.slice(0, -1), size, strides, padding }) },
          ...extra,
        },
      });
    },
  };
}

/** Over all positions, into a vector. */
function globalPooling(opType: string, reduction: string): LayerConverter {
  return {
    reads: 'any',
    refuse: refuseChannelsFirst,
    convert(context) {
      const [{ name, shape, layout }] = context.inputs;
      const positions = shape.slice(0, -1).map((_, axis) => axis + 1);
      const pooled =
        layout === 'channelsFirst' ? context.op(opType, [name]) : context.reduce(reduction, name, positions, '');
      return context.op('Flatten', [pooled], { attributes: { axis: { int: 1 } }, part: 'flatten' });
    },
  };
}

const maximum = pooling('MaxPool');
// TensorFlow averages over the real pixels of a window, not over the zeros around the image.
const average = pooling('AveragePool', { count_include_pad: { int: 0 } });
const globalMaximum = globalPooling('GlobalMaxPool', 'ReduceMax');
const globalAverage = globalPooling('GlobalAveragePool', 'ReduceMean');

export const poolingLayers: Readonly<Record<string, LayerConverter>> = {
  MaxPooling1D: maximum,
  MaxPooling2D: maximum,
  MaxPooling3D: maximum,
  AveragePooling1D: average,
  AveragePooling2D: average,
  AveragePooling3D: average,
  GlobalMaxPooling1D: globalMaximum,
  GlobalMaxPooling2D: globalMaximum,
  GlobalAveragePooling1D: globalAverage,
  GlobalAveragePooling2D: globalAverage,
};
