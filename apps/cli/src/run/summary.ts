import type { EndReason, Evaluation, GuardViolation, NetworkCost, TargetState } from '@secateur/core';
import type { SkippedImage } from '@secateur/data';
import type { Latency, Verification } from '@secateur/export';
import type { Engine } from './engine.ts';
import { type Goal, judgeGoals } from './goals.ts';
import type { RunConfig } from './run-config.ts';

/** One of the two networks of a run, as it is at the end. */
export interface NetworkReport {
  readonly macs: number;
  readonly parameters: number;
  /** In the counting of the authors of class-aware pruning. */
  readonly authorsFlops: number;
  /** Filters of each convolution, and of whatever else may lose some: units of dense layers, heads of attention. In order. */
  readonly filters: readonly { readonly layer: string; readonly filters: number }[];
  readonly validationAccuracy: number;
  readonly test: Evaluation;
  readonly onnxBytes: number;
  /** Milliseconds for one image in onnxruntime. */
  readonly latency: { readonly medianMs: number; readonly p95Ms: number; readonly runs: number };
}

export interface IterationReport {
  readonly iteration: number;
  readonly removedFilters: number;
  readonly macs: number;
  readonly validationAccuracy: number;
  readonly withinTolerance: boolean;
}

/** summary.json */
export interface Summary {
  readonly version: 1;
  readonly secateur: string;
  readonly seed: number;
  readonly startedAt: string;
  readonly config: RunConfig;
  readonly engine: Engine;
  readonly data: {
    readonly name: string;
    readonly images: Readonly<Record<string, number>>;
    /** Files of a folder that could not be decoded. */
    readonly skipped?: readonly SkippedImage[];
  };
  readonly unpruned: NetworkReport;
  readonly pruned: NetworkReport;
  /** Shares removed, in [0, 1], and how many times faster. */
  readonly change: {
    readonly macsRemoved: number;
    readonly parametersRemoved: number;
    readonly fileSizeRemoved: number;
    readonly testAccuracy: number;
    readonly speedup: number;
  };
  readonly iterations: readonly IterationReport[];
  readonly endReason: EndReason;
  /** Where a guard ended the loop: what it found. */
  readonly violation?: GuardViolation;
  /** What the pruned network has of what the target speaks of. */
  readonly target: TargetState;
  readonly verification: Verification;
  readonly goals: readonly Goal[];
  readonly passed: boolean;
  /** Wall time by part; `afterData` is all but getting the images. */
  readonly seconds: Readonly<Record<string, number>>;
}

export function networkReport(parts: {
  cost: NetworkCost;
  filters: NetworkReport['filters'];
  validationAccuracy: number;
  test: Evaluation;
  latency: Latency;
}): NetworkReport {
  const { cost, filters, validationAccuracy, test, latency } = parts;
  return {
    macs: cost.macs,
    parameters: cost.parameters,
    authorsFlops: cost.authorsFlops,
    filters,
    validationAccuracy,
    test,
    onnxBytes: latency.bytes,
    latency: { medianMs: latency.medianMs, p95Ms: latency.p95Ms, runs: latency.runs },
  };
}

/** Adds the differences between the two networks and the goals to what was measured. */
export function summarize(
  measured: Omit<Summary, 'version' | 'seed' | 'change' | 'goals' | 'passed'>,
  { afterData }: { afterData: number },
): Summary {
  const { config, unpruned, pruned, verification } = measured;
  const removed = (before: number, after: number) => 1 - after / before;
  const change = {
    macsRemoved: removed(unpruned.macs, pruned.macs),
    parametersRemoved: removed(unpruned.parameters, pruned.parameters),
    fileSizeRemoved: removed(unpruned.onnxBytes, pruned.onnxBytes),
    testAccuracy: pruned.test.accuracy - unpruned.test.accuracy,
    speedup: unpruned.latency.medianMs / pruned.latency.medianMs,
  };
  const goals = judgeGoals(config, {
    macsRemoved: change.macsRemoved,
    target: measured.target,
    unprunedAccuracy: unpruned.test.accuracy,
    prunedAccuracy: pruned.test.accuracy,
    minutes: afterData / 60,
    maxLogitDifference: verification.maxAbsDifference,
    differentClass: verification.differentClass,
  });
  return { version: 1, seed: config.seed, ...measured, change, goals, passed: goals.every(({ met }) => met) };
}
