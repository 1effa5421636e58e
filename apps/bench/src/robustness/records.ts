import type { Recipe } from '../network-study/recipe.ts';

export interface RobustnessTask {
  readonly recipe: Recipe;
  readonly from: string;
  /** Test images to attack. */
  readonly images: number;
  /** In steps of a pixel's 256. */
  readonly epsilons: readonly number[];
  readonly pgdSteps: number;
}

export interface RobustnessRecord {
  readonly clean: number;
  /** One for each epsilon. */
  readonly fgsm: readonly number[];
  readonly pgd: readonly number[];
}
