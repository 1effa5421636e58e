import { ALL_REMOVABLE, isClassAware } from '@secateur/core';
import { z } from 'zod';
import { imageFolderFields } from './image-folder.ts';
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
    removed: share.nullable().describe("Share of the unpruned network's to be gone."),
    atMost: z
      .number()
      .positive()
      .nullable()
      .describe('What may be left: MACs, parameters, or milliseconds of a batch in onnxruntime.'),
    batchSize: count.describe('Images in a batch, where time is measured.'),
  })
  .refine(({ removed, atMost }) => (removed === null) !== (atMost === null), {
    error: "Expected either 'removed' or 'atMost' to be a number, and the other to be null",
  });

/** What may keep accuracy over the removals, beside more training. */
const keeping = z.strictObject({
  recalibrateBatches: z
    .int()
    .min(0)
    .describe(
      'How many batches batch norm is recalibrated on after each removal and each tuning; 0 leaves it as it is.',
    ),
  teacherWeight: share.describe('Weight in the loss of what the unpruned network says; 0 tunes on the labels alone.'),
  temperature: rate.describe("How far both networks' probabilities are softened for that."),
  keepMomentum: z.boolean().describe('Each tuning goes on with the momentum of the one before.'),
  rewind: z
    .boolean()
    .describe(
      'Tunings of k epochs take the learning rates of the last k epochs of training, in place of their own schedule.',
    ),
});

/** The keys, each for itself. */
export const runConfigFields = z.strictObject({
  network: z.enum(NETWORKS),
  width: rate.describe("Factor on the network's widths."),
  model: z
    .string()
    .min(1)
    .nullable()
    .describe("Folder of a LayersModel, or ONNX file: the trained network that is pruned in place of 'network'."),
  trainModel: z.boolean().describe('Whether that network is trained further before it is pruned.'),
  imageFolder: imageFolderFields.describe('How the images of --data folder:PATH are read.'),
  seed,
  trainingImages: count.nullable().describe('How many images to take, the same share of each class; null takes all.'),
  testImages: count.nullable(),
  validationFraction: share.describe('Share of the training images that is held out to decide when pruning ends.'),
  imagesPerClass: count.describe('Scoring images of each class.'),
  augment: z
    .strictObject({ flip: z.boolean(), cropPadding: z.int().min(0) })
    .describe(
      'What is done to the images trained on: mirrored half of the time, shifted by up to cropPadding pixels of 32, in proportion for other sizes.',
    ),
  batchSize: count,
  precision: z.enum(['float32', 'bfloat16']),
  objective: z.strictObject({
    l1: notNegative,
    l1Over: z.enum(['all', 'kernels']),
    orthogonality: notNegative,
    orthogonalityForm: z.enum(['convolution', 'kernel']),
  }),
  training,
  classes: z
    .array(z.string())
    .min(2)
    .nullable()
    .describe(
      "Makes a specialist: these classes' images and outputs alone are kept from the trained network on; null keeps all.",
    ),
  criterion,
  /** Scores as shares of their layer's mean, or as they are; null leaves that to the criterion. */
  ranking: z.strictObject({
    combine: z.enum(['max', 'mean', 'sum']),
    normalise: z.enum(['layer mean', 'none']).nullable(),
  }),
  graph: z.strictObject({
    kinds: z
      .array(z.enum(ALL_REMOVABLE.kinds))
      .min(1)
      .describe('Whose filters may go: convolutions, units of hidden dense layers, heads of attention.'),
    coupled: z.enum(['stay', 'together']).describe('Whether filters that meet in an addition may go, all together.'),
    ignore: z.array(z.string()).describe("Names of layers to leave alone, in which '*' stands for any characters."),
  }),
  selection: z.strictObject({
    strategy: z.enum(['threshold', 'percentage', 'both']),
    threshold: notNegative.describe(
      "Share of the number of classes; for criteria that are not class-aware, of the layer's mean score.",
    ),
    scope: z.enum(['global', 'layer']),
    maxFraction: share,
    minFilters: count,
    maxLayerFraction: share,
    roundTo: count.describe('A layer that loses filters keeps a multiple of this.'),
  }),
  fineTune: training,
  finalTune: training,
  keeping,
  tolerance: share.describe('How far the validation accuracy may fall, as a share of the images.'),
  classTolerance: share
    .nullable()
    .describe("The same for every single class, and what no class's may fall below; null sets no such guard."),
  classFloor: share.nullable(),
  smallerSteps: z
    .int()
    .min(0)
    .describe(
      'How often the run goes back to the last good network, to take a step half as large, when one of these is violated.',
    ),
  target,
  maxIterations: count,
  checkpoints: z
    .strictObject({ everySteps: count.nullable(), everyMinutes: z.number().positive().nullable() })
    .describe(
      'How often trainings write a checkpoint for --resume; null leaves it to the other, and every phase writes one anyway.',
    ),
  /** What the run is measured against at its end; null sets no such goal. */
  goals: z.strictObject({
    macsRemoved: share
      .nullable()
      .describe('Share of the MACs, and no more than the target asks for; with another target that one itself.'),
    accuracyDrop: share
      .nullable()
      .describe("How far the pruned network's test accuracy may lie below the unpruned one's."),
    unprunedAccuracy: share.nullable(),
    minutes: z.number().positive().nullable().describe('From the images in memory to the verified ONNX file.'),
    logitDifference: z.number().positive(),
  }),
});

/** Everything that decides how a run goes. Plain JSON: it is stored with the run. */
export const runConfigSchema = runConfigFields
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
