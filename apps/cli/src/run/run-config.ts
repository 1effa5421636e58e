import { z } from 'zod';
import { NETWORKS } from './networks.ts';

const count = z.int().min(1);
const share = z.number().min(0).max(1);
const notNegative = z.number().min(0);
const rate = z.number().positive();

const schedule = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('constant'), rate }),
  z.strictObject({ kind: z.literal('one-cycle'), peak: rate, warmup: share }),
  z.strictObject({ kind: z.literal('step'), rate, milestones: z.array(share), factor: rate }),
]);

const training = z.strictObject({ epochs: count, schedule, momentum: share, weightDecay: notNegative });

const criterion = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('reference'), tau: notNegative }),
  z.strictObject({ kind: z.literal('relative'), rho: notNegative }),
]);

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
  seed: z.int().min(0).max(0xffffffff),
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
  criterion,
  selection: z.strictObject({
    strategy: z.enum(['threshold', 'percentage', 'both']),
    /** Share of the number of classes. */
    threshold: share,
    maxFraction: share,
    minFilters: count,
    maxLayerFraction: share,
  }),
  fineTune: training,
  finalTune: training,
  keeping,
  /** How far the validation accuracy may fall, as a share of the images. */
  tolerance: share,
  targetMacs: share,
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
export const runConfigSchema = fields.superRefine(({ keeping, training, fineTune, finalTune }, context) => {
  const longest = Math.max(fineTune.epochs, finalTune.epochs);
  if (!keeping.rewind || longest <= training.epochs) return;
  const message = `Expected tunings of at most ${training.epochs} epochs, as many as the training has, but one has ${longest}`;
  context.addIssue({ code: 'custom', path: ['keeping', 'rewind'], message });
});

export type RunConfig = z.infer<typeof runConfigSchema>;
