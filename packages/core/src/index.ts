export { countCost, type LayerReport, type NetworkCost, type UncountedLayer } from './cost/count-cost.ts';
export type { Batch, BatchSource } from './data.ts';
export {
  ALL_REMOVABLE,
  type ChannelGraph,
  type ChannelGroup,
  type ChannelUnit,
  type FilterRef,
  type FrozenLayer,
  type GroupMember,
  type LayerAxes,
  type ReadGraphOptions,
  readGraph,
} from './graph/channel-graph.ts';
export { describeGraph } from './graph/describe-graph.ts';
export type { Coupling } from './graph/follow-channels.ts';
export type { LayerCost, ProducerKind } from './graph/layer-rule.ts';
export { type LayerNode, type Network, readNetwork, readNodes, type Shape } from './graph/nodes.ts';
export { convOrthogonality, type Penalty } from './kernels/conv-orthogonality.ts';
export type { Precision } from './kernels/precision.ts';
export { completeConfigs } from './layers/depth-multiplier.ts';
export { PositionEmbedding, type PositionEmbeddingConfig } from './layers/position-embedding.ts';
export { SelfAttention, type SelfAttentionConfig } from './layers/self-attention.ts';
export { ZeroPadShortcut, type ZeroPadShortcutConfig } from './layers/zero-pad-shortcut.ts';
export { kernelOrthogonality } from './objective/kernel-orthogonality.ts';
export { type Objective, PAPER_OBJECTIVE, PLAIN_OBJECTIVE } from './objective/objective.ts';
export type { KeepingOptions } from './pipeline/accuracy-keeper.ts';
export { classAwarePruning } from './pipeline/class-aware-pruning.ts';
export type { AccuracyGuards, GuardViolation } from './pipeline/guards.ts';
export type { EndReason, GuardReason, PruningEvent, PruningResult } from './pipeline/pruning-events.ts';
export type { PruningOptions, PruningSources, TuningOptions } from './pipeline/pruning-options.ts';
export type { EndingState, NetworkState, PruningState, RemovalState } from './pipeline/pruning-state.ts';
export type { Target, TargetAmount, TargetKind, TargetState } from './pipeline/target.ts';
export { type ApplyPlanOptions, applyPlan } from './pruning/apply-plan.ts';
export { composePlans } from './pruning/compose-plans.ts';
export { validatePlan } from './pruning/fit-plan.ts';
export { type KeepClassesOptions, keepClasses } from './pruning/keep-classes.ts';
export { parsePlan } from './pruning/parse-plan.ts';
export { type CreatePlanOptions, createPlan, type PruningPlan } from './pruning/pruning-plan.ts';
export {
  type RankingOptions,
  rankByShare,
  type ScoreCombination,
  type ScoreNormalisation,
  type UnitGroup,
} from './pruning/rank-by-share.ts';
export {
  type FractionalScores,
  type LayerRanking,
  type ScoredFilter,
  type ScoreUnit,
  type Selection,
  type SelectionOptions,
  type SelectionScope,
  type SelectionStrategy,
  selectFilters,
} from './pruning/select-filters.ts';
export { type WeightSlicer, weightSlicer } from './pruning/weight-slicer.ts';
export {
  type ClassAwareCriterion,
  CRITERIA,
  CRITERION_KINDS,
  type Criterion,
  type CriterionKind,
  type ImageCriterion,
  isClassAware,
  type LayerScores,
  needsImages,
  type WeightCriterion,
} from './scoring/criterion.ts';
export { type ScoringOptions, scoreFilters } from './scoring/score-filters.ts';
export { type ClassAccuracy, type Evaluation, evaluate } from './training/evaluate.ts';
export { type NamedValues, readWeights, writeWeights } from './training/named-values.ts';
export { OptimiserState, sliceOptimiserState } from './training/optimiser-state.ts';
export { type RecalibrationOptions, recalibrateBatchNorm } from './training/recalibrate-batch-norm.ts';
export { learningRateAt, type Schedule } from './training/schedule.ts';
export { type LossTerms, NonFiniteLossError } from './training/step.ts';
export {
  type DistillationOptions,
  type EpochEvent,
  type StepEvent,
  type Teacher,
  type TrainingEvent,
  type TrainingOptions,
  train,
} from './training/train.ts';
export type { Checkpoint, EpochTotals, TrainingState } from './training/training-state.ts';
