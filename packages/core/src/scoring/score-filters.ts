import type { LayersModel } from '@tensorflow/tfjs-layers';
import { checkChoice } from '../check-option.ts';
import type { BatchSource } from '../data.ts';
import { ruleOf } from '../graph/layer-rules.ts';
import { readNetwork } from '../graph/nodes.ts';
import { apozScores } from './criteria/apoz.ts';
import { batchNormScaleScores } from './criteria/batch-norm-scale.ts';
import { geometricMedianScores } from './criteria/geometric-median.ts';
import { gradedScores } from './criteria/graded.ts';
import { kernelNormScores } from './criteria/kernel-norm.ts';
import { meanActivationScores } from './criteria/mean-activation.ts';
import { quantileScores } from './criteria/quantile.ts';
import { randomScores } from './criteria/random.ts';
import { referenceScores } from './criteria/reference.ts';
import { relativeScores } from './criteria/relative.ts';
import { taylorScores } from './criteria/taylor.ts';
import {
  CRITERION_KINDS,
  type Criterion,
  type ImageCriterion,
  type LayerScores,
  needsImages,
  type WeightCriterion,
} from './criterion.ts';
import type { ImageScoringInput, ScoringInput } from './scoring-pass.ts';

export interface ScoringOptions {
  readonly criterion: Criterion;
  /** Layers to score, which may be dense or attention layers too; default: every Conv2D. */
  readonly layers?: readonly string[];
}

/**
 * Scores filters by the number of classes that they matter to (arXiv 2312.05875, section III-B), or by one of the field's
 * other criteria. Where images are needed, the network runs in inference mode and float32, all classes together.
 *
 * @param source The scoring images, not augmented; for class-aware criteria the same number of each class. Criteria that look at weights
 *   alone (see `needsImages`) do not read it, so that it may be undefined.
 * @returns One entry for each layer, in the order of computing.
 * @throws Error when the classes have different numbers of images, the model has not one logit for each, a layer is not in the model or has
 *   nothing that the criterion looks at, a parameter of the criterion is out of range, or there is no source and images are needed.
 */
export async function scoreFilters(
  model: LayersModel,
  source: BatchSource | undefined,
  { criterion, layers }: ScoringOptions,
): Promise<LayerScores[]> {
  checkChoice("The criterion's kind", criterion.kind, CRITERION_KINDS);
  const input = { model, layers: chooseLayers(model, layers) };
  if (!needsImages(criterion)) return scoreWeights(input, criterion);
  if (source) return scoreOnImages({ ...input, source }, criterion);
  throw new Error(`The criterion '${criterion.kind}' needs scoring images, but there is no source of them.`);
}

function chooseLayers(model: LayersModel, wanted: readonly string[] | undefined): string[] {
  const { nodes } = readNetwork(model);
  const unknown = wanted?.find((layer) => nodes.every(({ name }) => name !== layer));
  if (unknown !== undefined) {
    throw new Error(`Expected '${unknown}' to be a layer of '${model.name}', but the model has none of that name.`);
  }
  const chosen = nodes.filter(({ name, className }) => (wanted ? wanted.includes(name) : className === 'Conv2D'));
  const without = chosen.find(({ className }) => !ruleOf(className)?.filters);
  if (without) {
    throw new Error(
      `Expected '${without.name}' to have filters that can be scored, but a ${without.className} layer has none.`,
    );
  }
  return [...new Set(chosen.map(({ name }) => name))];
}

async function scoreOnImages(input: ImageScoringInput, criterion: ImageCriterion): Promise<LayerScores[]> {
  switch (criterion.kind) {
    case 'reference':
      return referenceScores(input, criterion);
    case 'quantile':
      return quantileScores(input, criterion);
    case 'relative':
      return relativeScores(input, criterion);
    case 'graded':
      return gradedScores(input, criterion);
    case 'taylor':
      return taylorScores(input);
    case 'mean-activation':
      return meanActivationScores(input);
    case 'apoz':
      return apozScores(input);
    default:
      return criterion satisfies never;
  }
}

function scoreWeights(input: ScoringInput, criterion: WeightCriterion): LayerScores[] {
  switch (criterion.kind) {
    case 'l1-norm':
    case 'l2-norm':
      return kernelNormScores(input, { kind: criterion.kind });
    case 'batch-norm-scale':
      return batchNormScaleScores(input);
    case 'geometric-median':
      return geometricMedianScores(input);
    case 'random':
      return randomScores(input, criterion);
    default:
      return criterion satisfies never;
  }
}
