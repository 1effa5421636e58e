import type { ZeroPadShortcut } from '../../layers/zero-pad-shortcut.ts';
import type { PassRule } from '../layer-rule.ts';

/** Zero channels before and after stay as they are; the channels between them follow the input. */
export const zeroPadShortcut: PassRule = {
  flow: 'pass',
  outputsOf: (channels, { layer }) => {
    const [before] = (layer as ZeroPadShortcut).padChannels;
    return channels.map((channel) => before + channel);
  },
};
