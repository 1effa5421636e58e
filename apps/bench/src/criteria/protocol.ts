import type { Criterion, CriterionKind, PruningOptions } from '@secateur/core';
import { InvalidArgumentError } from 'commander';

/** Each kind as it is compared when no setting is given. */
const CRITERIA: Readonly<Record<CriterionKind, Criterion>> = {
  reference: { kind: 'reference', tau: 0 },
  quantile: { kind: 'quantile', quantile: 0.75 },
  relative: { kind: 'relative', rho: 0.5 },
  graded: { kind: 'graded', rho: 0.5 },
  taylor: { kind: 'taylor' },
  'mean-activation': { kind: 'mean-activation' },
  apoz: { kind: 'apoz' },
  'l1-norm': { kind: 'l1-norm' },
  'l2-norm': { kind: 'l2-norm' },
  'geometric-median': { kind: 'geometric-median' },
  'batch-norm-scale': { kind: 'batch-norm-scale' },
  random: { kind: 'random', seed: 0 },
};

export const CRITERION_NAMES = Object.keys(CRITERIA) as CriterionKind[];

/** What all criteria have in common. Results made with another setup must not be mixed with these. */
export interface Setup {
  /** Factor on the widths of VGG-11. */
  readonly width: number;
  /** Take only so many training and test images of each class; absent: all. */
  readonly perClass?: number;
  readonly testPerClass?: number;
  /** Of the unpruned network; after each removal but the last; after the last. */
  readonly epochs: number;
  readonly fineTuneEpochs: number;
  readonly finalTuneEpochs: number;
  /** Removals on the way to the target, each of the same share of the unpruned network's MACs. */
  readonly steps: number;
  readonly scope: 'global' | 'layer';
  /** 'usual': class-aware scores as they are, others by their layer's mean. */
  readonly normalise: 'usual' | 'layer-mean' | 'none';
  readonly minFilters: number;
  /** Share of a layer's filters that one removal may take. */
  readonly maxLayerFraction: number;
}

export const SCOPES = ['global', 'layer'] as const;
export const NORMALISATIONS = ['usual', 'layer-mean', 'none'] as const;

/** A criterion by its name, with a setting of its own behind '=': 'relative=0.25'. */
export function parseCriterion(text: string): Criterion {
  const [kind, value] = text.split('=') as [CriterionKind, string?];
  const criterion = CRITERIA[kind];
  if (!criterion) throw new InvalidArgumentError(`Expected one of ${CRITERION_NAMES.join(', ')}; got '${kind}'.`);
  if (value === undefined) return criterion;
  const [setting] = Object.keys(criterion).filter((key) => key !== 'kind');
  const number = Number(value);
  if (setting && value !== '' && Number.isFinite(number)) return { ...criterion, [setting]: number };
  throw new InvalidArgumentError(
    setting ? `Expected a number behind '${kind}='; got '${value}'.` : `'${kind}' has no setting; got '${value}'.`,
  );
}

/** The text itself, once it is known to name a criterion. */
export function checkedCriterion(text: string): string {
  parseCriterion(text);
  return text;
}

export function parseCriteria(text: string): string[] {
  const names = [...new Set(text.split(',').map((name) => name.trim()))];
  names.forEach(parseCriterion);
  return names;
}

/** How one removal chooses; the target stops it. */
export function selectionOf(setup: Setup): Pick<PruningOptions, 'selection' | 'ranking'> {
  const { scope, normalise, minFilters, maxLayerFraction } = setup;
  return {
    selection: { strategy: 'percentage', maxFraction: 1, scope, minFilters, maxLayerFraction },
    ...(normalise !== 'usual' && {
      ranking: { normalise: normalise === 'layer-mean' ? 'layer mean' : 'none' },
    }),
  };
}
