import { activationLayers } from './activation.ts';
import { attentionLayers } from './attention.ts';
import type { LayerConverter } from './converter.ts';
import { convolutionLayers } from './convolution.ts';
import { denseLayers } from './dense.ts';
import { mergeLayers } from './merge.ts';
import { normalizationLayers } from './normalization.ts';
import { poolingLayers } from './pooling.ts';
import { shapeLayers } from './shape.ts';
import { spatialLayers } from './spatial.ts';

/** One entry for each layer class, by the class name that tfjs-layers serialises. */
export const converters: ReadonlyMap<string, LayerConverter> = new Map(
  Object.entries({
    ...activationLayers,
    ...attentionLayers,
    ...convolutionLayers,
    ...denseLayers,
    ...mergeLayers,
    ...normalizationLayers,
    ...poolingLayers,
    ...shapeLayers,
    ...spatialLayers,
  }),
);
