import type { Attributes } from '../graph/onnx-graph.ts';
import { configOf, type LayerConverter, refuseChannelsFirst } from './converter.ts';
import { explicitPads, type Pair } from './same-padding.ts';

interface PoolingConfig {
  readonly poolSize: Pair;
  readonly strides: Pair;
  readonly padding: string;
}

function pooling(opType: string, extra: Attributes = {}): LayerConverter {
  return {
    refuse: refuseChannelsFirst,
    convert(context) {
      const { poolSize, strides, padding } = configOf<PoolingConfig>(context.node);
      const [{ name, shape }] = context.inputs;
      const input: Pair = [shape[1]!, shape[2]!];
      return context.op(opType, [name], {
        attributes: {
          kernel_shape: { ints: poolSize },
          strides: { ints: strides },
          pads: { ints: explicitPads({ input, size: poolSize, strides, padding }) },
          ...extra,
        },
      });
    },
  };
}

function globalPooling(opType: string): LayerConverter {
  return {
    refuse: refuseChannelsFirst,
    convert(context) {
      const pooled = context.op(opType, [context.inputs[0].name]);
      return context.op('Flatten', [pooled], { attributes: { axis: { int: 1 } }, part: 'flatten' });
    },
  };
}

export const poolingLayers: Readonly<Record<string, LayerConverter>> = {
  MaxPooling2D: pooling('MaxPool'),
  // TensorFlow averages over the real pixels of a window, not over the zeros around the image.
  AveragePooling2D: pooling('AveragePool', { count_include_pad: { int: 0 } }),
  GlobalMaxPooling2D: globalPooling('GlobalMaxPool'),
  GlobalAveragePooling2D: globalPooling('GlobalAveragePool'),
};
