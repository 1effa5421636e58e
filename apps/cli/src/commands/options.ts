import { resolve } from 'node:path';
import {
  ALL_REMOVABLE,
  CRITERION_KINDS,
  type CriterionKind,
  type ProducerKind,
  type ScoreCombination,
  type ScoreNormalisation,
  type SelectionScope,
  type SelectionStrategy,
  type TargetKind,
} from '@secateur/core';
import type { ChannelStatistics } from '@secateur/data';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { didYouMean } from '../did-you-mean.ts';
import { UsageError } from '../exit.ts';
import { criterionOf } from '../run/criteria.ts';
import { ENGINES, type EngineName } from '../run/engine.ts';
import type { ImageFolderSettings } from '../run/image-folder.ts';
import { NETWORKS } from '../run/networks.ts';
import type { ConfigPatch } from '../run/resolve-config.ts';
import type { RunConfig } from '../run/run-config.ts';

/** Of every command. */
export interface CommonFlags {
  readonly quiet?: boolean;
  readonly json?: boolean;
  readonly debug?: boolean;
}

export interface EngineFlags {
  readonly engine?: EngineName;
  readonly threads?: number;
}

export interface DataFlags {
  readonly data?: string;
  readonly imageSize?: ImageFolderSettings['size'];
  readonly imageFit?: 'crop' | 'stretch';
  readonly testFraction?: number;
  readonly splitSeed?: number;
  readonly maxCorrupt?: number;
  readonly imageMemory?: number;
  readonly imageMean?: number[];
  readonly imageStd?: number[];
}

export interface OutFlags {
  readonly out?: string;
  readonly force?: boolean;
}

/** Those that stand for values of a configuration. */
export interface ConfigFlags {
  readonly config?: string;
  readonly network?: string;
  readonly model?: string;
  readonly width?: number;
  readonly epochs?: number;
  readonly learningRate?: number;
  readonly batchSize?: number;
  readonly seed?: number;
  readonly precision?: string;
  readonly images?: number;
  readonly testImages?: number;
  readonly l1?: number;
  readonly orthogonality?: number;
}

/** How to choose filters; `run` and `prune` share them. */
export interface SelectionFlags {
  readonly strategy?: SelectionStrategy;
  readonly threshold?: number;
  readonly scope?: SelectionScope;
  readonly maxFraction?: number;
  readonly minFilters?: number;
  readonly maxLayerFraction?: number;
  readonly roundTo?: number;
  readonly normalise?: 'layer-mean' | 'none';
  readonly combine?: ScoreCombination;
  readonly kinds?: readonly ProducerKind[];
  readonly coupled?: boolean;
  readonly leaveAlone?: readonly string[];
}

export interface CriterionFlags {
  readonly criterion?: CriterionKind;
  readonly tau?: number;
  readonly rho?: number;
  readonly quantile?: number;
}

export interface PruningFlags extends SelectionFlags, CriterionFlags {
  readonly target?: number;
  readonly targetKind?: string;
  readonly targetAtMost?: number;
  readonly latencyBatch?: number;
  readonly tolerance?: number;
  readonly classTolerance?: number;
  readonly classFloor?: number;
  readonly smallerSteps?: number;
  readonly classes?: readonly string[];
  readonly fineTuneEpochs?: number;
  readonly finalTuneEpochs?: number;
  readonly maxIterations?: number;
  readonly imagesPerClass?: number;
  readonly recalibrate?: number;
  readonly teacherWeight?: number;
  readonly temperature?: number;
  readonly keepMomentum?: boolean;
  readonly rewind?: boolean;
}

export function addCommonOptions(command: Command): Command {
  return command
    .option('--quiet', 'no progress, only results and errors')
    .option('--json', 'one JSON value on stdout; progress stays on stderr')
    .option('--debug', 'errors with the place in the program');
}

export function addEngineOptions(command: Command): Command {
  return command
    .addOption(
      choice(
        '--engine <name>',
        'torch, tensorflow (@tensorflow/tfjs-node) or cpu; default: the first that works',
        ENGINES,
      ),
    )
    .option('--threads <n>', 'threads of the torch engine; default: one for each core', integer(1));
}

export function addDataOption(command: Command): Command {
  return command
    .option(
      '--data <dir>',
      'folder of the official binary files of CIFAR-10 or CIFAR-100, or folder:PATH for one of images; default: CIFAR-10, downloaded once (139 MB)',
    )
    .option(
      '--image-size <n|WxH>',
      "for folder:PATH: what images become; default: the network's size, or 32",
      imageSize,
    )
    .addOption(choice('--image-fit <how>', 'crop (the default) or stretch to that shape', ['crop', 'stretch']))
    .option('--test-fraction <share>', 'held out of each class where there is no test folder; default: 0.2', number)
    .option('--split-seed <n>', 'chooses what is held out; default: 0', integer(0))
    .option('--max-corrupt <n>', 'so many files that cannot be decoded are skipped; default: 10', integer(0))
    .option('--image-memory <gb>', 'what all images may take; default: 2', number)
    .option(
      '--image-mean <values>',
      'standardise by these, of each channel from 0 to 1, such as 0.49,0.48,0.45',
      numbers,
    )
    .option('--image-std <values>', "likewise; default: the network's, or those of the training images", numbers);
}

/** How the flags say that images are standardised. */
export function statisticsOfFlags({ imageMean: mean, imageStd: std }: DataFlags): ChannelStatistics | undefined {
  if ((mean === undefined) !== (std === undefined)) {
    throw new UsageError('--image-mean and --image-std belong together: give both, or none.');
  }
  if (std?.some((value) => value <= 0)) throw new UsageError('--image-std must be greater than 0 for every channel.');
  return mean && std && { mean, std };
}

/** What the flags say about folders of images. */
export function imageFolderPatch(flags: DataFlags): Partial<Record<keyof ImageFolderSettings, unknown>> {
  return {
    size: flags.imageSize,
    fit: flags.imageFit,
    testFraction: flags.testFraction,
    splitSeed: flags.splitSeed,
    maxCorrupt: flags.maxCorrupt,
    maxGigabytes: flags.imageMemory,
    statistics: statisticsOfFlags(flags),
  };
}

/** 64, or 96x64 for a width of 96: [height, width], as shapes have it. */
function imageSize(text: string): ImageFolderSettings['size'] {
  const sides = text.split(/x/i).map(Number);
  const [width, height = width] = sides as [number, number?];
  if (sides.length > 2 || !sides.every((side) => Number.isInteger(side) && side >= 1 && side <= 16384)) {
    throw new InvalidArgumentError(
      'It must be a number of pixels from 1 to 16384, such as 64, or WIDTHxHEIGHT, such as 96x64.',
    );
  }
  return width === height ? width : [height!, width];
}

/** Numbers with commas between them. */
function numbers(text: string): number[] {
  return text.split(',').map(number);
}

export function addOutOptions(command: Command, fallback: string): Command {
  return command
    .option('--out <dir>', `folder for everything that is written; default: ${fallback}`)
    .option('--force', 'replace the run that is in that folder');
}

export function addConfigOptions(command: Command, { trained }: { trained: 'from scratch' | 'further' }): Command {
  command.option(
    '--config <file>',
    'JSON or TypeScript with a part of the configuration, merged over the preset; default: secateur.config.json or .ts here',
  );
  if (trained === 'from scratch') {
    command
      .addOption(choice('--network <name>', NETWORKS.join(', '), NETWORKS))
      .option('--width <factor>', "factor on the network's widths", number);
  }
  return command
    .option('--epochs <n>', 'epochs of training', integer(1))
    .option('--learning-rate <rate>', 'its highest learning rate', number)
    .option('--batch-size <n>', 'images in a step', integer(1))
    .option('--seed <n>', 'fixes weights, order, augmentation and splits', integer(0))
    .addOption(choice('--precision <name>', 'float32 or bfloat16 for training', ['float32', 'bfloat16']))
    .option('--images <n>', 'take only so many training images', integer(1))
    .option('--test-images <n>', 'take only so many test images', integer(1))
    .option('--l1 <factor>', 'factor of the L1 term of the objective', number)
    .option('--orthogonality <factor>', 'factor of the orthogonality term of the objective', number);
}

/** @param defaults Of a command without a configuration, whose values would otherwise come from there. */
export function addSelectionOptions(command: Command, defaults: SelectionFlags = {}): Command {
  const name = (flags: string, description: string, choices: readonly string[], fallback: string | undefined) =>
    choice(flags, description, choices).default(fallback);
  return command
    .addOption(name('--strategy <name>', 'threshold, percentage or both', STRATEGIES, defaults.strategy))
    .option(
      '--threshold <share>',
      "candidates are filters below this share of the classes (default: 0.3), or for baselines of their layer's mean score",
      number,
    )
    .addOption(name('--scope <name>', 'rank filters global or in each layer', SCOPES, defaults.scope))
    .option('--max-fraction <share>', 'most of all filters that go at once', number, defaults.maxFraction)
    .option('--min-filters <n>', 'what every layer keeps', integer(1), defaults.minFilters)
    .option('--max-layer-fraction <share>', "most of one layer's that go at once", number, defaults.maxLayerFraction)
    .option('--round-to <n>', 'layers that lose filters keep a multiple of n, such as 8', integer(1), defaults.roundTo)
    .addOption(
      choice('--normalise <how>', 'layer-mean or none; default: layer-mean for baselines', ['layer-mean', 'none']),
    )
    .addOption(
      name(
        '--combine <name>',
        'what the scores of coupled filters become: max, mean or sum',
        COMBINATIONS,
        defaults.combine,
      ),
    )
    .addOption(kindsOption('what may go'))
    .option('--coupled', 'let filters that meet in an addition go, all together')
    .option('--leave-alone <layers>', "layers that lose no filters, such as conv1,'block3_*'", names);
}

/** @param fallback The kind of a command without a configuration. */
export function addCriterionOptions(command: Command, fallback?: CriterionKind): Command {
  const help = `what makes a filter worth keeping: ${CRITERION_KINDS.join(', ')}`;
  return command
    .addOption(choice('--criterion <kind>', help, CRITERION_KINDS).default(fallback))
    .option(
      '--tau <value>',
      "for reference: what |activation x gradient| must exceed; default: 0, the authors' setting",
      number,
    )
    .option(
      '--quantile <share>',
      "for quantile: that quantile of each layer's values is its tau; default: 0.75",
      number,
    )
    .option(
      '--rho <factor>',
      "for relative and graded: what part of the layer's mean counts as a class, or half of one; default: 0.5",
      number,
    );
}

export function addPruningOptions(command: Command): Command {
  command
    .option('--target <share>', 'stop when this share of the MACs is gone, such as 0.5', number)
    .addOption(
      choice('--target-kind <name>', 'macs, params, or latency in onnxruntime: what the target is about', TARGETS),
    )
    .option('--target-at-most <n>', 'in place of --target: MACs, parameters or milliseconds that may be left', number)
    .option('--latency-batch <n>', 'images in a batch whose time is measured', integer(1))
    .option('--tolerance <share>', 'how far the validation accuracy may fall, such as 0.01', number)
    .option('--class-tolerance <share>', 'how far that of any single class may fall', number)
    .option('--class-floor <share>', "what no single class's validation accuracy may fall below, such as 0.6", number)
    .option(
      '--smaller-steps <n>',
      'when one of these is violated: goes back, and tries a step half as large, n times',
      integer(0),
    )
    .option('--classes <names>', 'make a specialist: keep these classes only, such as cat,dog', names)
    .option('--images-per-class <n>', 'scoring images of each class', integer(1));
  addCriterionOptions(command);
  addSelectionOptions(command);
  return command
    .option('--max-iterations <n>', 'most iterations', integer(1))
    .option('--fine-tune-epochs <n>', 'epochs after each removal', integer(1))
    .option('--final-tune-epochs <n>', 'epochs at the end', integer(1))
    .option('--recalibrate <n>', 'batches to recalibrate batch norm on after removals and tunings', integer(0))
    .option('--teacher-weight <share>', "tune on the unpruned network's answers too, with that weight", number)
    .option('--temperature <t>', "how far both networks' probabilities are softened for that", number)
    .option('--keep-momentum', 'carry the momentum from one tuning to the next')
    .option('--rewind', 'tune with the learning rates of the last epochs of the training');
}

/** @param section The training that --epochs and --learning-rate speak of. */
export function configPatch(
  flags: ConfigFlags & PruningFlags & DataFlags,
  base: RunConfig,
  section: 'training' | 'fineTune',
): ConfigPatch {
  const { learningRate } = flags;
  const { schedule } = base[section];
  return {
    network: flags.network,
    width: flags.width,
    imageFolder: imageFolderPatch(flags),
    ...modelPatch(flags),
    batchSize: flags.batchSize,
    seed: flags.seed,
    precision: flags.precision,
    trainingImages: flags.images,
    testImages: flags.testImages,
    objective: { l1: flags.l1, orthogonality: flags.orthogonality },
    target: targetPatch(flags),
    tolerance: flags.tolerance,
    classTolerance: flags.classTolerance,
    classFloor: flags.classFloor,
    smallerSteps: flags.smallerSteps,
    classes: flags.classes,
    maxIterations: flags.maxIterations,
    imagesPerClass: flags.imagesPerClass,
    selection: {
      strategy: flags.strategy,
      threshold: flags.threshold,
      scope: flags.scope,
      maxFraction: flags.maxFraction,
      minFilters: flags.minFilters,
      maxLayerFraction: flags.maxLayerFraction,
      roundTo: flags.roundTo,
    },
    graph: { kinds: flags.kinds, coupled: flags.coupled ? 'together' : undefined, ignore: flags.leaveAlone },
    ranking: { combine: flags.combine, normalise: flags.normalise && normalisation(flags.normalise) },
    criterion: criterionPatch(flags, base),
    fineTune: { epochs: flags.fineTuneEpochs },
    finalTune: { epochs: flags.finalTuneEpochs },
    keeping: {
      recalibrateBatches: flags.recalibrate,
      teacherWeight: flags.teacherWeight,
      temperature: flags.temperature,
      keepMomentum: flags.keepMomentum,
      rewind: flags.rewind,
    },
    [section]: {
      epochs: flags.epochs,
      schedule: schedule.kind === 'one-cycle' ? { peak: learningRate } : { rate: learningRate },
    },
  };
}

/** A trained network is trained further when epochs are asked for. */
function modelPatch({ model, network, width, epochs }: ConfigFlags): ConfigPatch {
  if (model === undefined) return {};
  if (network !== undefined || width !== undefined) {
    throw new UsageError(`--model is the network: leave out ${network === undefined ? '--width' : '--network'}.`);
  }
  return { model: resolve(model), trainModel: epochs === undefined ? undefined : true };
}

const STRATEGIES: readonly SelectionStrategy[] = ['threshold', 'percentage', 'both'];
const SCOPES: readonly SelectionScope[] = ['global', 'layer'];
const COMBINATIONS: readonly ScoreCombination[] = ['max', 'mean', 'sum'];
const TARGETS: readonly TargetKind[] = ['macs', 'params', 'latency'];

/** As core calls it. */
export function normalisation(how: 'layer-mean' | 'none'): ScoreNormalisation {
  return how === 'layer-mean' ? 'layer mean' : how;
}

/** --target and --target-at-most take each other's place. */
function targetPatch({ target, targetKind, targetAtMost, latencyBatch }: PruningFlags): ConfigPatch {
  if (target !== undefined && targetAtMost !== undefined) {
    throw new UsageError('--target and --target-at-most exclude each other: give one of them.');
  }
  const removed = targetAtMost === undefined ? target : null;
  const atMost = target === undefined ? targetAtMost : null;
  // No `kind` that is undefined: merging takes it for another kind.
  return { ...(targetKind && { kind: targetKind }), removed, atMost, batchSize: latencyBatch };
}

/** The kind's usual settings, unless the configuration is of that kind already; and what else the flags say. */
function criterionPatch({ criterion, ...given }: CriterionFlags, base: RunConfig): ConfigPatch {
  const kind = criterion ?? base.criterion.kind;
  const settings = { tau: given.tau, rho: given.rho, quantile: given.quantile };
  const chosen = criterionOf(kind, settings);
  return kind === base.criterion.kind ? settings : { ...chosen };
}

export function kindsOption(what: string): Option {
  return new Option('--kinds <names>', `${what}: conv (the default), dense units, attention heads`).argParser(kinds);
}

function kinds(text: string): ProducerKind[] {
  const known: readonly string[] = ALL_REMOVABLE.kinds;
  return names(text).map((name) => {
    if (known.includes(name)) return name as ProducerKind;
    throw new InvalidArgumentError(`${didYouMean(name, known).trim()} Choose from: ${known.join(', ')}.`.trim());
  });
}

/** Names with commas between them. */
export function names(text: string): string[] {
  const list = text.split(',').map((name) => name.trim());
  if (list.includes('')) throw new InvalidArgumentError('It must be names with commas between them.');
  return list;
}

/** An option with a fixed set of values, which suggests the closest one. */
export function choice(flags: string, description: string, choices: readonly string[]): Option {
  const option = new Option(flags, description).argParser(choiceOf(choices));
  option.argChoices = [...choices];
  return option;
}

/** Takes one of the values, and suggests the closest one to another. */
export function choiceOf(choices: readonly string[]): (value: string) => string {
  return (value) => {
    if (choices.includes(value)) return value;
    throw new InvalidArgumentError(`${didYouMean(value, choices).trim()} Choose from: ${choices.join(', ')}.`.trim());
  };
}

/** The same for several, with commas between them. */
export function choices(flags: string, description: string, values: readonly string[]): Option {
  return new Option(flags, description).argParser((text) => {
    const list = names(text);
    const unknown = list.find((name) => !values.includes(name));
    if (unknown === undefined) return list;
    throw new InvalidArgumentError(`${didYouMean(unknown, values).trim()} Choose from: ${values.join(', ')}.`.trim());
  });
}

export function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('It must be a number.');
  return value;
}

export function integer(least: number): (text: string) => number {
  return (text) => {
    const value = number(text);
    if (!Number.isInteger(value) || value < least) {
      throw new InvalidArgumentError(`It must be a whole number of at least ${least}.`);
    }
    return value;
  };
}
