/** What makes a filter worth keeping. Each kind is described, with formula and source, in a file of its own under criteria/. */
export type Criterion = ImageCriterion | WeightCriterion;

/** The network has to see images. */
export type ImageCriterion = ClassAwareCriterion | { readonly kind: 'taylor' | 'mean-activation' | 'apoz' };

/** Scores a filter by the classes that it matters to: from 0, none, to the number of classes. */
export type ClassAwareCriterion =
  /** The paper's: images of the classes with |a * dL/da| above tau, at the filter's best position. */
  | { readonly kind: 'reference'; readonly tau: number }
  /** The same with a tau for each layer: that quantile of the layer's |a * dL/da|. */
  | { readonly kind: 'quantile'; readonly quantile: number }
  /** Classes to which the filter is more important than rho times the mean of its layer. */
  | { readonly kind: 'relative'; readonly rho: number }
  /** The same with degrees in place of yes and no: half a class at rho times the mean of the layer. */
  | { readonly kind: 'graded'; readonly rho: number };

/** Weights are looked at, or nothing. */
export type WeightCriterion =
  | { readonly kind: 'l1-norm' | 'l2-norm' | 'batch-norm-scale' | 'geometric-median' }
  | { readonly kind: 'random'; readonly seed: number };

export type CriterionKind = Criterion['kind'];

const SEES: Readonly<Record<CriterionKind, 'classes' | 'images' | 'weights'>> = {
  reference: 'classes',
  quantile: 'classes',
  relative: 'classes',
  graded: 'classes',
  taylor: 'images',
  'mean-activation': 'images',
  apoz: 'images',
  'l1-norm': 'weights',
  'l2-norm': 'weights',
  'batch-norm-scale': 'weights',
  'geometric-median': 'weights',
  random: 'weights',
};

/** Each kind with its usual setting; the paper's tau is 0. */
export const CRITERIA: Readonly<Record<CriterionKind, Criterion>> = {
  reference: { kind: 'reference', tau: 0 },
  quantile: { kind: 'quantile', quantile: 0.75 },
  relative: { kind: 'relative', rho: 0.5 },
  graded: { kind: 'graded', rho: 0.5 },
  taylor: { kind: 'taylor' },
  'mean-activation': { kind: 'mean-activation' },
  apoz: { kind: 'apoz' },
  'l1-norm': { kind: 'l1-norm' },
  'l2-norm': { kind: 'l2-norm' },
  'batch-norm-scale': { kind: 'batch-norm-scale' },
  'geometric-median': { kind: 'geometric-median' },
  random: { kind: 'random', seed: 0 },
};

export const CRITERION_KINDS = Object.keys(CRITERIA) as readonly CriterionKind[];

/** Whether scores are numbers of classes, so that a threshold can be a share of the classes. All others have no upper bound. */
export function isClassAware(criterion: Criterion): criterion is ClassAwareCriterion {
  return SEES[criterion.kind] === 'classes';
}

export function needsImages(criterion: Criterion): criterion is ImageCriterion {
  return SEES[criterion.kind] !== 'weights';
}

/** Scores of one layer's filters: S(f) = numerators[f] / denominator. Filters with low scores go first. */
export interface LayerScores {
  readonly layer: string;
  readonly filters: number;
  /** The largest score that there can be; 0 for criteria that do not look at classes, whose scores have no bound. */
  readonly classes: number;
  /** Integers where a criterion counts, so that a comparison with a threshold is exact. */
  readonly numerators: Int32Array | Float64Array;
  readonly denominator: number;
  /** Lower goes first among equal scores. */
  readonly tieBreak: Float64Array;
  /**
   * [classes * filters], row by row: how much filter f matters to class c. For 'reference' and 'quantile' the share of the
   * class's images at the best position, for 'relative' the ratio to the layer's mean, for 'graded' the degree in [0, 1).
   */
  readonly classMatrix: Float32Array;
}

/** Scores of a criterion that does not look at classes. */
export function overallScores(layer: string, values: ArrayLike<number>): LayerScores {
  return {
    layer,
    filters: values.length,
    classes: 0,
    numerators: Float64Array.from(values),
    denominator: 1,
    tieBreak: new Float64Array(values.length),
    classMatrix: new Float32Array(0),
  };
}
