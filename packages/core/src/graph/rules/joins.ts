import type { LayerRule } from '../layer-rule.ts';

/**
 * Channel i of the output takes channel i of every input. An input of a single channel goes with each of the others', as a
 * gate for positions does.
 *
 * @param noun For messages: 'addition'.
 */
export function join(noun: string): LayerRule {
  return {
    follow({ node, inputs, couple, freeze }) {
      const width = Math.max(...inputs.map((channels) => channels.length));
      const full = inputs.filter((channels) => channels.length === width);
      for (const channels of inputs) if (!full.includes(channels)) freeze(channels, 'spreads it over all channels');
      couple(full, `feeds the ${noun} '${node.name}'`);
      return full[0]!;
    },
  };
}
