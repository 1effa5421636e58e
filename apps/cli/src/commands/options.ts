import type { Criterion, CriterionKind } from '@secateur/core';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { didYouMean } from '../did-you-mean.ts';
import { UsageError } from '../exit.ts';
import { CRITERIA, CRITERION_NAMES } from '../run/criteria.ts';
import { ENGINES, type EngineName } from '../run/engine.ts';
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
}

export interface OutFlags {
  readonly out?: string;
  readonly force?: boolean;
}

/** Those that stand for values of a configuration. */
export interface ConfigFlags {
  readonly config?: string;
  readonly network?: string;
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

export interface PruningFlags {
  readonly target?: number;
  readonly targetKind?: string;
  readonly targetAtMost?: number;
  readonly latencyBatch?: number;
  readonly tolerance?: number;
  readonly classTolerance?: number;
  readonly classFloor?: number;
  readonly smallerSteps?: number;
  readonly classes?: readonly string[];
  readonly criterion?: CriterionKind;
  readonly maxFraction?: number;
  readonly scope?: string;
  readonly roundTo?: number;
  readonly coupled?: boolean;
  readonly combine?: string;
  readonly leaveAlone?: readonly string[];
  readonly fineTuneEpochs?: number;
  readonly finalTuneEpochs?: number;
  readonly maxIterations?: number;
  readonly imagesPerClass?: number;
  readonly recalibrate?: number;
  readonly teacherWeight?: number;
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
  return command.option(
    '--data <dir>',
    'folder of the official binary files of CIFAR-10 or CIFAR-100; default: CIFAR-10, downloaded once (139 MB)',
  );
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

export function addPruningOptions(command: Command): Command {
  return command
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
    .addOption(choice('--criterion <kind>', CRITERION_HELP, CRITERION_NAMES))
    .option('--images-per-class <n>', 'scoring images of each class', integer(1))
    .option('--max-fraction <share>', 'most filters that one iteration removes', number)
    .addOption(choice('--scope <name>', 'rank filters global or in each layer', SCOPES))
    .option('--round-to <n>', 'layers that lose filters keep a multiple of n, such as 8', integer(1))
    .option('--coupled', 'let filters that meet in an addition go, all together')
    .addOption(choice('--combine <name>', 'what the scores of coupled filters become: max, mean or sum', COMBINATIONS))
    .option('--leave-alone <layers>', "layers that lose no filters, such as conv1,'block3_*'", names)
    .option('--max-iterations <n>', 'most iterations', integer(1))
    .option('--fine-tune-epochs <n>', 'epochs after each removal', integer(1))
    .option('--final-tune-epochs <n>', 'epochs at the end', integer(1))
    .option('--recalibrate <n>', 'batches to recalibrate batch norm on after removals and tunings', integer(0))
    .option('--teacher-weight <share>', "tune on the unpruned network's answers too, with that weight", number)
    .option('--keep-momentum', 'carry the momentum from one tuning to the next')
    .option('--rewind', 'tune with the learning rates of the last epochs of the training');
}

/** @param section The training that --epochs and --learning-rate speak of. */
export function configPatch(
  flags: ConfigFlags & PruningFlags,
  base: RunConfig,
  section: 'training' | 'fineTune',
): ConfigPatch {
  const { learningRate } = flags;
  const { schedule } = base[section];
  return {
    network: flags.network,
    width: flags.width,
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
    selection: { maxFraction: flags.maxFraction, scope: flags.scope, roundTo: flags.roundTo },
    graph: { coupled: flags.coupled ? 'together' : undefined, ignore: flags.leaveAlone },
    ranking: { combine: flags.combine },
    criterion: criterionPatch(flags.criterion, base),
    fineTune: { epochs: flags.fineTuneEpochs },
    finalTune: { epochs: flags.finalTuneEpochs },
    keeping: {
      recalibrateBatches: flags.recalibrate,
      teacherWeight: flags.teacherWeight,
      keepMomentum: flags.keepMomentum,
      rewind: flags.rewind,
    },
    [section]: {
      epochs: flags.epochs,
      schedule: schedule.kind === 'one-cycle' ? { peak: learningRate } : { rate: learningRate },
    },
  };
}

export const SCOPES = ['global', 'layer'] as const;
export const COMBINATIONS = ['max', 'mean', 'sum'] as const;
const TARGETS = ['macs', 'params', 'latency'] as const;

export const CRITERION_HELP = `what makes a filter worth keeping: ${CRITERION_NAMES.join(', ')}`;

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

/** The kind's usual setting, unless the configuration is of that kind already. */
function criterionPatch(kind: CriterionKind | undefined, base: RunConfig): Criterion | undefined {
  return kind === undefined || kind === base.criterion.kind ? undefined : CRITERIA[kind];
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
