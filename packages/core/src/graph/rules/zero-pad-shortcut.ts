import type { ZeroPadShortcut } from '../../layers/zero-pad-shortcut.ts';
import type { LayerRule } from '../layer-rule.ts';

/** The zeros before and after the input's channels are channels of their own; they go with what they are added to. */
export const zeroPadShortcut: LayerRule = {
  follow({ node, inputs, make }) {
    const [before, after] = (node.layer as ZeroPadShortcut).padChannels;
    return [...make('before', before), ...inputs[0]!, ...make('after', after)];
  },
  resize: ({ before, after }) => ({ padChannels: [before, after] }),
};
