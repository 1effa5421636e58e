import { resolve } from 'node:path';
import type { Command } from 'commander';
import { count, factor, numberFromZero, share } from '../arguments.ts';
import { checkedCriterion } from '../criteria/parse-criterion.ts';
import type { PruningProtocol } from './prune-in-steps.ts';
import type { Recipe, Removal } from './recipe.ts';

/** What the studies that train networks have in common on the command line. */
export interface RecipeOptions {
  readonly seeds: number;
  readonly width: number;
  readonly epochs: number;
  readonly l1: number;
  readonly orthogonality: number;
  readonly perClass?: number;
  readonly testPerClass?: number;
  readonly validation?: number;
  readonly data?: string;
}

/** The same for those that prune them. */
export interface NetworkStudyOptions extends RecipeOptions {
  readonly criterion: string;
  readonly iterations: number;
  readonly fineTuneEpochs: number;
  readonly finalTuneEpochs: number;
  readonly maxFraction: number;
  readonly minFilters: number;
  readonly maxLayerFraction: number;
}

export function addRecipeOptions(
  command: Command,
  defaults: Pick<RecipeOptions, 'seeds' | 'width' | 'epochs'>,
): Command {
  return command
    .option('--seeds <count>', 'networks, each with a seed of its own', count, defaults.seeds)
    .option('--width <factor>', "factor on the network's widths", factor, defaults.width)
    .option('--epochs <count>', 'epochs of the unpruned network', count, defaults.epochs)
    .option('--l1 <factor>', 'of the L1 term, where there is one', numberFromZero, 1e-5)
    .option('--orthogonality <factor>', 'of the orthogonality term, where there is one', numberFromZero, 1e-3)
    .option('--per-class <images>', 'take only so many training images of each class', count)
    .option('--test-per-class <images>', 'take only so many test images of each class', count)
    .option('--data <dir>', 'folder of the official binary CIFAR-10 (default: downloaded once)');
}

export function addNetworkStudyOptions(
  command: Command,
  defaults: Pick<NetworkStudyOptions, 'seeds' | 'width' | 'epochs' | 'iterations' | 'finalTuneEpochs' | 'maxFraction'>,
): Command {
  return addRecipeOptions(command, defaults)
    .option('--criterion <name>', 'what filters are scored by; name=value for a setting', checkedCriterion, 'graded')
    .option('--iterations <count>', 'most removals', count, defaults.iterations)
    .option('--fine-tune-epochs <count>', 'epochs after each removal', count, 1)
    .option('--final-tune-epochs <count>', 'epochs after the last removal', count, defaults.finalTuneEpochs)
    .option('--max-fraction <share>', 'share of all filters that one removal may take', share, defaults.maxFraction)
    .option('--min-filters <count>', 'what every layer keeps', count, 4)
    .option('--max-layer-fraction <share>', "share of a layer's filters that one removal may take", share, 0.5);
}

/** All that pieces depend on and their names do not tell. */
export function setupOf({ seeds: _, data: __, ...options }: RecipeOptions): object {
  return options;
}

export function recipeOf(options: RecipeOptions, own: Pick<Recipe, 'network' | 'seed'>): Recipe {
  const { width, l1, orthogonality, perClass, testPerClass, validation, data } = options;
  return {
    width,
    l1,
    orthogonality,
    ...(perClass !== undefined && { perClass }),
    ...(testPerClass !== undefined && { testPerClass }),
    ...(validation !== undefined && { validation }),
    ...(data !== undefined && { data: resolve(data) }),
    ...own,
  };
}

/** What one unpruned network costs at most, with its prunings and with the training for as long as those were tuned. */
export function epochsOf(
  { epochs, iterations, fineTuneEpochs, finalTuneEpochs }: NetworkStudyOptions,
  { prunings = 1 }: { readonly prunings?: number } = {},
): number {
  return epochs + (prunings + 1) * (iterations * fineTuneEpochs + finalTuneEpochs);
}

export function protocolOf(
  options: NetworkStudyOptions,
  own: Partial<Removal> & Pick<PruningProtocol, 'tolerance' | 'fillUp' | 'target'>,
): PruningProtocol {
  const { epochs, iterations, fineTuneEpochs, finalTuneEpochs, criterion, maxFraction, minFilters, maxLayerFraction } =
    options;
  const { tolerance, fillUp, target, ...removal } = own;
  return {
    epochs,
    iterations,
    fineTuneEpochs,
    finalTuneEpochs,
    fillUp,
    ...(tolerance !== undefined && { tolerance }),
    ...(target !== undefined && { target }),
    removal: {
      criterion,
      strategy: 'percentage',
      threshold: 0.3,
      maxFraction,
      minFilters,
      maxLayerFraction,
      kinds: ['conv'],
      coupled: 'stay',
      ...removal,
    },
  };
}
