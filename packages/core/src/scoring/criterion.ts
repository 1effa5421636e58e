/** What makes a filter matter to a class. The score of a filter is the number of classes that it matters to. */
export type Criterion =
  /**
   * The paper's rule. s(c, f, position) = share of the class's images with |a * dL/da| > tau; S(f) = max over positions of
   * the sum over classes. tau 0 is the authors' setting (their 1e-50 is 0 in float32).
   */
  | { readonly kind: 'reference'; readonly tau: number }
  /**
   * f matters to c if its mean |a * dL/da| over the class's images and all positions is above rho times the mean over the
   * layer's filters. Scale-free, so that one rho is fair to all layers.
   */
  | { readonly kind: 'relative'; readonly rho: number };

/** Scores of one layer's filters: S(f) = numerators[f] / denominator, in [0, classes]. */
export interface LayerScores {
  readonly layer: string;
  readonly filters: number;
  readonly classes: number;
  /** Integers, so that a comparison with a threshold is exact. */
  readonly numerators: Int32Array;
  readonly denominator: number;
  /** Lower goes first among equal scores. */
  readonly tieBreak: Float64Array;
  /** [classes * filters], row by row: how much filter f matters to class c. In [0, 1] for 'reference'; for 'relative' the ratio to the layer's mean. */
  readonly classMatrix: Float32Array;
}
