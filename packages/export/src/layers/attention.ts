import { configOf, type LayerContext, type LayerConverter } from './converter.ts';
import { project } from './dense.ts';

interface AttentionConfig {
  readonly heads: number;
  readonly headSize: number;
}

async function weightsOf(context: LayerContext, name: string, factor = 1) {
  const [kernel, bias] = [await context.weight(`${name}/kernel`), await context.weight(`${name}/bias`)];
  return { kernel: kernel.map((value) => value * factor), bias: bias.map((value) => value * factor) };
}

export const attentionLayers: Readonly<Record<string, LayerConverter>> = {
  SelfAttention: {
    reads: 'channelsLast',
    async convert(context) {
      const [{ name: x, shape }] = context.inputs;
      const { heads, headSize } = configOf<AttentionConfig>(context.node);
      const tokens = shape[0]!;
      const split = context.integers('split_heads', [0, tokens, heads, headSize]);
      /** [batch, heads, tokens, headSize] under the permutation [0, 2, 1, 3]. */
      const headsOf = async (name: string, perm: readonly number[], factor = 1) => {
        const names = { prefix: `${name}/`, part: name, units: heads * headSize };
        const projected = project(context, x, await weightsOf(context, name, factor), names);
        const separate = context.op('Reshape', [projected, split], { part: `${name}/heads` });
        return context.op('Transpose', [separate], { attributes: { perm: { ints: perm } }, part: `${name}/by_head` });
      };
      // Attention divides by sqrt(headSize); the weights of the query do it beforehand.
      const query = await headsOf('query', [0, 2, 1, 3], headSize ** -0.5);
      const keys = await headsOf('key', [0, 2, 3, 1]);
      const values = await headsOf('value', [0, 2, 1, 3]);
      const agreement = context.op('MatMul', [query, keys], { part: 'agreement' });
      const shares = context.op('Softmax', [agreement], { attributes: { axis: { int: -1 } }, part: 'shares' });
      const mixed = context.op('MatMul', [shares, values], { part: 'mixed' });
      const byToken = context.op('Transpose', [mixed], {
        attributes: { perm: { ints: [0, 2, 1, 3] } },
        part: 'by_token',
      });
      const merge = context.integers('merge_heads', [0, tokens, heads * headSize]);
      const merged = context.op('Reshape', [byToken, merge], { part: 'merged' });
      return project(context, merged, await weightsOf(context, 'output'), { prefix: 'output/' });
    },
  },
  PositionEmbedding: {
    reads: 'channelsLast',
    async convert(context) {
      const embedding = context.constant('embedding', await context.weight('embedding'), context.outputShape);
      return context.op('Add', [context.inputs[0].name, embedding]);
    },
  },
};
