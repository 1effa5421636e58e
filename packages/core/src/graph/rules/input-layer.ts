import type { LayerRule } from '../layer-rule.ts';

/** Of a nested model: passes on what the model is applied to. What comes in from outside the whole model is never pruned. */
export const inputLayer: LayerRule = {
  follow({ inputs, lay }) {
    lay('channels', inputs[0]!);
    return inputs[0]!;
  },
  resize: ({ channels }, layer) => {
    const shape = layer.batchInputShape;
    return { batchInputShape: [...shape.slice(0, -1), shape.at(-1) === null ? null : channels] };
  },
};
