import { activationLayers } from './activation.ts';
import { normalizationLayers } from './batch-normalization.ts';
import type { LayerConverter } from './converter.ts';
import { convolutionLayers } from './convolution.ts';
import { denseLayers } from './dense.ts';
import { mergeLayers } from './merge.ts';
import { paddingLayers } from './padding.ts';
import { poolingLayers } from './pooling.ts';
import { shapeLayers } from './shape.ts';

/** One entry for each layer class, by the class name that tfjs-layers serialises. */
export const converters: ReadonlyMap<string, LayerConverter> = new Map(
  Object.entries({
    ...activationLayers,
    ...convolutionLayers,
    ...denseLayers,
    ...mergeLayers,
    ...normalizationLayers,
    ...paddingLayers,
    ...poolingLayers,
    ...shapeLayers,
  }),
);
