import type * as tf from '@tensorflow/tfjs-core';
import { taylorSum } from '../../kernels/taylor.ts';
import { disposeTotals, gradientPass, type ImageScoringInput, type PassTotals } from '../scoring-pass.ts';
import { sumOverPlaces } from './reductions.ts';

/** How important a layer's filters are to each class, relative to the mean of the layer. */
export interface Importance {
  readonly layer: string;
  readonly filters: number;
  readonly classes: number;
  /** [classes * filters], row by row: imp(c, f) / mean over the layer of imp(c, .); 0 where the mean is 0. */
  readonly ratios: Float64Array;
}

/** @returns float32 sums [classes, filters] of |a * dL/da| over the images of each class and all positions. */
export function sumImportance(input: ImageScoringInput): Promise<PassTotals> {
  return gradientPass(input, {
    at: 'output',
    byClass: true,
    reduce: ({ seen, classes }) => taylorSum(seen, { classes }),
  });
}

/**
 * imp(c, f) = mean over the images of class c and all positions of |a * dL/da|, a being the layer's output before batch norm, added up over
 * the places where a layer is used. As a ratio to the layer's mean it has no scale, so that filters of different layers can be compared.
 */
export async function relativeImportance(input: ImageScoringInput): Promise<Importance[]> {
  const pass = await sumImportance(input);
  try {
    return await Promise.all(
      pass.layers.map(async ({ layer, totals }) => {
        const [classes, filters] = (totals as tf.Tensor2D[])[0]!.shape;
        const sums = await sumOverPlaces(totals);
        return { layer, filters, classes, ratios: toRatios(sums, { classes, filters }) };
      }),
    );
  } finally {
    disposeTotals(pass);
  }
}

function toRatios(sums: Float32Array, { classes, filters }: { classes: number; filters: number }): Float64Array {
  const ratios = new Float64Array(classes * filters);
  for (let c = 0; c < classes; c++) {
    const row = sums.subarray(c * filters, (c + 1) * filters);
    const mean = row.reduce((total, value) => total + value, 0) / filters;
    row.forEach((value, f) => {
      ratios[c * filters + f] = mean > 0 ? value / mean : 0;
    });
  }
  return ratios;
}
