import type { LayerNode } from '@secateur/core';
import { type LayerContext, type LayerConverter, type Output, refuseChannelsFirst } from './converter.ts';

type Shape = readonly (number | null)[];

/** Images whose values lie in the same order channels first and channels last; vectors too. Shape without the batch. */
function hasOneOrder(shape: Shape): boolean {
  const [height, width, channels] = shape;
  return shape.length === 1 || (shape.length === 3 && (channels === 1 || height! * width! === 1));
}

function flatten(context: LayerContext): Output {
  const [{ name, shape }] = context.inputs;
  const flat = context.op('Flatten', [name], { attributes: { axis: { int: 1 } } });
  const [channels, height, width] = shape as [number, number, number];
  const pixels = height * width;
  if (channels === 1 || pixels === 1) return flat;
  const featureOrder = Int32Array.from({ length: channels * pixels }, (_, i) => {
    const channel = Math.floor(i / pixels);
    return (i % pixels) * channels + channel;
  });
  return { name: flat, featureOrder };
}

function reshape(context: LayerContext): Output {
  // 0 stands for the size that the input has there, so that the batch stays dynamic.
  const shape = BigInt64Array.from([0, ...context.outputShape], BigInt);
  return context.op('Reshape', [context.inputs[0].name, context.constant('shape', shape, [shape.length])]);
}

function refuseReshape(node: LayerNode): string | undefined {
  const from = node.inputs[0]!.outputShape.slice(1);
  const to = node.outputShape.slice(1);
  const supported = (from.length === 3 && to.length === 1) || [from, to].every(hasOneOrder);
  return supported
    ? undefined
    : `from [${from}] to [${to}]; only flattening and 1x1 or single-channel images are supported`;
}

export const shapeLayers: Readonly<Record<string, LayerConverter>> = {
  /** Of a nested model: what the model is applied to. */
  InputLayer: {
    takesAnyFeatureOrder: true,
    convert: ({ inputs: [{ name, featureOrder }] }) => ({ name, featureOrder }),
  },
  Flatten: {
    refuse(node) {
      const rank = node.inputs[0]!.outputShape.length;
      return rank === 4 ? refuseChannelsFirst(node) : `input of rank ${rank}; only images are supported`;
    },
    convert: flatten,
  },
  Reshape: {
    refuse: refuseReshape,
    convert: (context) => (context.inputs[0].shape.length > context.outputShape.length ? flatten : reshape)(context),
  },
};
