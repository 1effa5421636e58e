import { PAPER_OBJECTIVE } from '@secateur/core';
import { IMAGE_FOLDER } from './image-folder.ts';
import type { RunConfig } from './run-config.ts';

/** CIFAR-10 from random weights to a verified ONNX file with less than half of the MACs; `goals` says what it aims at. */
const quickstart: RunConfig = {
  network: 'vgg11',
  width: 0.375,
  model: null,
  trainModel: false,
  imageFolder: IMAGE_FOLDER,
  seed: 0,
  trainingImages: null,
  testImages: null,
  validationFraction: 0.05,
  imagesPerClass: 20,
  augment: { flip: true, cropPadding: 2 },
  batchSize: 128,
  precision: 'bfloat16',
  objective: { l1: 1e-5, l1Over: 'all', orthogonality: 1e-3, orthogonalityForm: 'convolution' },
  training: {
    epochs: 15,
    schedule: { kind: 'one-cycle', peak: 0.1, warmup: 0.25 },
    momentum: 0.9,
    weightDecay: 5e-4,
  },
  classes: null,
  criterion: { kind: 'graded', rho: 0.5 },
  ranking: { combine: 'mean', normalise: null },
  graph: { kinds: ['conv'], coupled: 'stay', ignore: [] },
  selection: {
    strategy: 'percentage',
    threshold: 0.3,
    scope: 'global',
    maxFraction: 0.26,
    minFilters: 8,
    maxLayerFraction: 0.4,
    // onnxruntime computes channels in blocks: filter by filter, only 62 % of the MACs' ratio would arrive as speed.
    roundTo: 8,
  },
  fineTune: {
    epochs: 1,
    schedule: { kind: 'one-cycle', peak: 0.03, warmup: 0.3 },
    momentum: 0.9,
    weightDecay: 5e-4,
  },
  finalTune: {
    epochs: 9,
    schedule: { kind: 'one-cycle', peak: 0.06, warmup: 0.15 },
    momentum: 0.9,
    weightDecay: 5e-4,
  },
  keeping: { recalibrateBatches: 0, teacherWeight: 0, temperature: 4, keepMomentum: false, rewind: false },
  tolerance: 0.05,
  classTolerance: null,
  classFloor: null,
  smallerSteps: 2,
  target: { kind: 'macs', removed: 0.505, atMost: null, batchSize: 1 },
  maxIterations: 100,
  checkpoints: { everySteps: null, everyMinutes: 5 },
  goals: { macsRemoved: 0.5, accuracyDrop: 0.01, unprunedAccuracy: 0.85, minutes: 15, logitDifference: 1e-3 },
};

/** The same path in under a minute: too few images to learn much. */
const smoke: RunConfig = {
  ...quickstart,
  network: 'vgg16',
  width: 0.125,
  trainingImages: 3000,
  testImages: 1000,
  validationFraction: 0.1,
  imagesPerClass: 10,
  batchSize: 64,
  training: { ...quickstart.training, epochs: 4, schedule: { kind: 'one-cycle', peak: 0.05, warmup: 0.3 } },
  // Its layers are too narrow for blocks.
  selection: { ...quickstart.selection, maxFraction: 0.15, minFilters: 2, maxLayerFraction: 0.5, roundTo: 1 },
  finalTune: { ...quickstart.finalTune, epochs: 1 },
  tolerance: 0.5,
  target: { ...quickstart.target, removed: 0.3 },
  maxIterations: 2,
  goals: { macsRemoved: 0.2, accuracyDrop: null, unprunedAccuracy: null, minutes: null, logitDifference: 1e-3 },
};

/**
 * The method of arXiv 2312.05875 with the settings of its authors' code: objective, score, threshold, cap, batch size,
 * augmentation, momentum and weight decay. What they do not publish is chosen as is usual for these networks: 200 epochs
 * with a rate of 0.1, a tenth of it after 60, 75 and 90 %; 30 epochs after each removal at 0.01, and 90 at the end in which
 * the rate falls to a tenth every 30; a tolerance of one point. There is no target: the loop goes on until no filter is below the
 * threshold, or the tolerance is exceeded.
 */
const paper: RunConfig = {
  network: 'vgg16',
  width: 1,
  model: null,
  trainModel: false,
  imageFolder: IMAGE_FOLDER,
  seed: 0,
  trainingImages: null,
  testImages: null,
  validationFraction: 0.1,
  imagesPerClass: 10,
  augment: { flip: true, cropPadding: 4 },
  batchSize: 256,
  precision: 'float32',
  objective: PAPER_OBJECTIVE,
  training: {
    epochs: 200,
    schedule: { kind: 'step', rate: 0.1, milestones: [0.6, 0.75, 0.9], factor: 0.1 },
    momentum: 0.9,
    weightDecay: 5e-4,
  },
  classes: null,
  criterion: { kind: 'reference', tau: 0 },
  ranking: { combine: 'mean', normalise: null },
  graph: { kinds: ['conv'], coupled: 'stay', ignore: [] },
  selection: {
    strategy: 'both',
    threshold: 0.3,
    scope: 'global',
    maxFraction: 0.1,
    minFilters: 1,
    maxLayerFraction: 1,
    roundTo: 1,
  },
  fineTune: { epochs: 30, schedule: { kind: 'constant', rate: 0.01 }, momentum: 0.9, weightDecay: 5e-4 },
  finalTune: {
    epochs: 90,
    schedule: { kind: 'step', rate: 0.01, milestones: [1 / 3, 2 / 3], factor: 0.1 },
    momentum: 0.9,
    weightDecay: 5e-4,
  },
  keeping: { recalibrateBatches: 0, teacherWeight: 0, temperature: 4, keepMomentum: false, rewind: false },
  tolerance: 0.01,
  classTolerance: null,
  classFloor: null,
  smallerSteps: 0,
  target: { kind: 'macs', removed: 1, atMost: null, batchSize: 1 },
  maxIterations: 100,
  checkpoints: { everySteps: null, everyMinutes: 5 },
  goals: { macsRemoved: null, accuracyDrop: null, unprunedAccuracy: null, minutes: null, logitDifference: 1e-3 },
};

/** The networks of the paper at full size, by schedules that two cores with bfloat16 finish in under three hours; `goals` is what the paper reports. */
const processor: RunConfig = {
  ...quickstart,
  network: 'vgg16',
  width: 1,
  imagesPerClass: 10,
  augment: { flip: true, cropPadding: 4 },
  training: { ...quickstart.training, epochs: 20 },
  selection: { ...quickstart.selection, maxFraction: 0.2 },
  fineTune: { ...quickstart.fineTune, schedule: { kind: 'one-cycle', peak: 0.02, warmup: 0.3 } },
  finalTune: { ...quickstart.finalTune, epochs: 12, schedule: { kind: 'one-cycle', peak: 0.04, warmup: 0.15 } },
  target: { ...quickstart.target, removed: 0.8 },
  goals: { macsRemoved: 0.771, accuracyDrop: 0.003, unprunedAccuracy: 0.935, minutes: null, logitDifference: 1e-3 },
};

export const PRESETS = {
  quickstart,
  smoke,
  'cpu/vgg16-cifar10': processor,
  'cpu/resnet56-cifar10': {
    ...processor,
    network: 'resnet56',
    selection: { ...processor.selection, minFilters: 4, roundTo: 1 },
    target: { ...processor.target, removed: 0.62 },
    goals: { ...processor.goals, macsRemoved: 0.62, accuracyDrop: 0 },
  },
  'paper/vgg16-cifar10': paper,
  'paper/vgg19-cifar100': { ...paper, network: 'vgg19' },
  'paper/resnet56-cifar10': { ...paper, network: 'resnet56' },
  'paper/resnet56-cifar100': { ...paper, network: 'resnet56' },
} satisfies Record<string, RunConfig>;

export type PresetName = keyof typeof PRESETS;

export const PRESET_NAMES = Object.keys(PRESETS) as PresetName[];
