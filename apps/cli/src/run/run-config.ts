import { isClassAware } from '@secateur/core';
import { z } from 'zod';
import { NETWORKS } from './networks.ts';

const count = z.int().min(1);
const share = z.number().min(0).max(1);
const notNegative = z.number().min(0);
const rate = z.number().positive();
const seed = z.int().min(0).max(0xffffffff);

const schedule = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('constant'), rate }),
  z.strictObject({ kind: z.literal('one-cycle'), peak: rate, warmup: share }),
  z.strictObject({ kind: z.literal('step'), rate, milestones: z.array(share), factor: rate }),
]);

const training = z.strictObject({ epochs: count, schedule, momentum: share, weightDecay: notNegative });

const criterion = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('reference'), tau: notNegative }),
  z.strictObject({ kind: z.literal('quantile'), quantile: z.number().min(0).lt(1) }),
  z.strictObject({ kind: z.literal('relative'), rho: notNegative }),
  z.strictObject({ kind: z.literal('graded'), rho: rate }),
  z.strictObject({ kind: z.enum(['taylor', 'mean-activation', 'apoz']) }),
  z.strictObject({ kind: z.enum(['l1-norm', 'l2-norm', 'batch-norm-scale', 'geometric-median']) }),
  z.strictObject({ kind: z.literal('random'), seed }),
]);

/** How small the network is to become. */
const target = z
  .strictObject({
    kind: z.enum(['macs', 'params', 'latency']),
    /** Share of the unpruned network's to be gone. */
    removed: share.nullable(),
    /** What may be left: MACs, parameters, or milliseconds of a batch in onnxruntime. */
    atMost: z.number().positive().nullable(),
    /** Images in a batch, where time is measured. */
    batchSize: count,
  })
  .refine(({ removed, atMost }) => (removed === null) !== (atMost === null), {
    error: "Expected either 'removed' or 'atMost' to be a number, and the other to be null",
  });

/** What may keep accuracy over the removals, beside more training. */
const keeping = z.strictObject({
  /** How many batches batch norm is recalibrated on after each removal and each tuning; 0 leaves it as it is. */
  recalibrateBatches: z.int().min(0),
  /** Weight in the loss of what the unpruned network says; 0 tunes on the labels alone. */
  teacherWeight: share,
  /** How far both networks' probabilities are softened for that. */
  temperature: rate,
  /** Each tuning goes on with the momentum of the one before. */
  keepMomentum: z.boolean(),
  /** Tunings of k epochs take the learning rates of the last k epochs of `training`, in place of their own schedule. */
  rewind: z.boolean(),
});

const fields = z.strictObject({
  network: z.enum(NETWORKS),
  /** Factor on the network's widths. */
  width: rate,
  seed,
  /** How many images to take, the same share of each class; null takes all. */
  trainingImages: count.nullable(),
  testImages: count.nullable(),
  /** Share of the training images that is held out to decide when pruning ends. */
  validationFraction: share,
  /** Scoring images of each class. */
  imagesPerClass: count,
  /** What is done to the images trained on: mirrored half of the time, shifted by up to `cropPadding` pixels. */
  augment: z.strictObject({ flip: z.boolean(), cropPadding: z.int().min(0) }),
  batchSize: count,
  precision: z.enum(['float32', 'bfloat16']),
  objective: z.strictObject({
    l1: notNegative,
    l1Over: z.enum(['all', 'kernels']),
    orthogonality: notNegative,
    orthogonalityForm: z.enum(['convolution', 'kernel']),
  }),
  training,
  /** Makes a specialist: these classes' images and outputs alone are kept from the trained network on; null keeps all. */
  classes: z.array(z.string()).min(2).nullable(),
  criterion,
  /** Scores as shares of their layer's mean, or as they are; null leaves that to the criterion. */
  ranking: z.strictObject({
    combine: z.enum(['max', 'mean', 'sum']),
    normalise: z.enum(['layer mean', 'none']).nullable(),
  }),
  graph: z.strictObject({
    /** Whether filters that meet in an addition may go, all together. */
    coupled: z.enum(['stay', 'together']),
    /** Names of layers to leave alone, in which '*' stands for any characters. */
    ignore: z.array(z.string()),
  }),
  selection: z.strictObject({
    strategy: z.enum(['threshold', 'percentage', 'both']),
    /** Share of the number of classes; for criteria that are not class-aware, of the layer's mean score. */
    threshold: notNegative,
    scope: z.enum(['global', 'layer']),
    maxFraction: share,
    minFilters: count,
    maxLayerFraction: share,
    /** A layer that loses filters keeps a multiple of this. */
    roundTo: count,
  }),
  fineTune: training,
  finalTune: training,
  keeping,
  /** How far the validation accuracy may fall, as a share of the images. */
  tolerance: share,
  /** The same for every single class, and what no class's may fall below; null sets no such guard. */
  classTolerance: share.nullable(),
  classFloor: share.nullable(),
  /** How often the run goes back to the last good network, to take a step half as large, when one of these is violated. */
  smallerSteps: z.int().min(0),
  target,
  maxIterations: count,
  /** What the run is measured against at its end; null sets no such goal. */
  goals: z.strictObject({
    macsRemoved: share.nullable(),
    /** How far the pruned network's test accuracy may lie below the unpruned one's. */
    accuracyDrop: share.nullable(),
    unprunedAccuracy: share.nullable(),
    /** From the images in memory to the verified ONNX file. */
    minutes: z.number().positive().nullable(),
    logitDifference: z.number().positive(),
  }),
});

/** Everything that decides how a run goes. Plain JSON: it is stored with the run. */
export const runConfigSchema = fields
  .superRefine(({ keeping, training, fineTune, finalTune }, context) => {
    const longest = Math.max(fineTune.epochs, finalTune.epochs);
    if (!keeping.rewind || longest <= training.epochs) return;
    const message = `Expected tunings of at most ${training.epochs} epochs, as many as the training has, but one has ${longest}`;
    context.addIssue({ code: 'custom', path: ['keeping', 'rewind'], message });
  })
  .superRefine(({ criterion, ranking, selection }, context) => {
    if (isClassAware(criterion) || ranking.normalise !== 'none' || selection.strategy === 'percentage') return;
    const message = `Expected the strategy 'percentage', because scores of '${criterion.kind}' as they are have no unit for a threshold, but it is '${selection.strategy}'`;
    context.addIssue({ code: 'custom', path: ['selection', 'strategy'], message });
  });

export type RunConfig = z.infer<typeof runConfigSchema>;
