import type { Recipe } from '../network-study/recipe.ts';

export interface TaylorTask {
  readonly recipe: Recipe;
  readonly from: string;
  readonly imagesPerClass: number;
  readonly taus: readonly number[];
}

export interface FilterChanges {
  readonly layer: string;
  /** Place of the layer among those that lose filters: 0 the first, 1 the last. */
  readonly depth: number;
  /** Cross entropy of each class without the filter minus with it. */
  readonly changes: readonly number[];
  /** What each estimate says about each class, by its name. */
  readonly estimates: Readonly<Record<string, readonly number[]>>;
}

export interface TaylorRecord {
  /** Cross entropy of each class. */
  readonly losses: readonly number[];
  readonly filters: readonly FilterChanges[];
}

/** Mean of |a * dL/da|, in ratio to the layer's; the same behind batch norm and activation, not in ratio; and the paper's at each tau. */
export function estimateNames(taus: readonly number[]): string[] {
  return ['relative', 'taylor', ...taus.map(referenceName)];
}

export function referenceName(tau: number): string {
  return `reference=${tau}`;
}
