import type { SelectionStrategy } from '@secateur/core';
import { Command } from 'commander';
import { buildReport, type MeasuredPruning, type MeasuredScores, presentReport } from '../ablation/report.ts';
import { choice, list, share } from '../arguments.ts';
import {
  addNetworkStudyOptions,
  epochsOf,
  type NetworkStudyOptions,
  protocolOf,
  recipeOf,
  setupOf,
} from '../network-study/options.ts';
import { pruneInSteps } from '../network-study/prune-in-steps.ts';
import type { Recipe, ScoresRecord } from '../network-study/recipe.ts';
import { type Architecture, CLASSIFIERS } from '../networks.ts';
import { addStudyOptions, Study, type StudyOptions } from '../study/study.ts';

const OBJECTIVES = ['none', 'l1', 'orthogonality', 'both'] as const;
const STRATEGIES = ['threshold', 'percentage', 'both'] as const satisfies readonly SelectionStrategy[];
/** Scores whose polarisation is measured: the paper's, and the presets'. */
const SCORES = ['reference', 'graded'];

interface AblationOptions extends NetworkStudyOptions, StudyOptions {
  readonly network: Architecture;
  readonly objectives: readonly (typeof OBJECTIVES)[number][];
  readonly strategies: readonly (typeof STRATEGIES)[number][];
  readonly threshold: number;
}

export function ablationCommand(): Command {
  const command = new Command('ablation')
    .description('what each regulariser and each strategy of removal adds, at an equal number of epochs')
    .option('--network <name>', `one of ${CLASSIFIERS.join(', ')}`, choice(CLASSIFIERS), 'vgg16')
    .option('--objectives <names>', `of ${OBJECTIVES.join(', ')}`, list(OBJECTIVES), [...OBJECTIVES])
    .option('--strategies <names>', `of ${STRATEGIES.join(', ')}`, list(STRATEGIES), [...STRATEGIES])
    .option('--threshold <share>', 'share of the classes below which a filter is a candidate', share, 0.3);
  const defaults = { seeds: 3, width: 0.25, epochs: 15, iterations: 6, finalTuneEpochs: 5, maxFraction: 0.1 };
  return addStudyOptions(addNetworkStudyOptions(command, defaults)).action(ablation);
}

async function ablation({ objectives, strategies, minutes, out, json, ...options }: AblationOptions): Promise<void> {
  const study = await Study.open(setupOf(options), { out, json, ...(minutes !== undefined && { minutes }) });
  study.announce(options.seeds * objectives.length * epochsOf(options, { prunings: strategies.length }));
  const prunings: MeasuredPruning[] = [];
  const scores: MeasuredScores[] = [];
  for (let seed = 0; seed < options.seeds; seed++) {
    for (const objective of objectives) {
      const name = `${objective}/seed-${seed}`;
      const recipe = withTerms(recipeOf(options, { network: options.network, seed }), objective);
      for (const strategy of strategies) {
        const { threshold } = options;
        const protocol = protocolOf(options, { strategy, threshold, fillUp: true });
        const { folders, ...pruned } = await pruneInSteps(study, { name, pruning: strategy, recipe, protocol });
        prunings.push({ objective, strategy, seed, ...pruned });
      }
      for (const criterion of SCORES) {
        const task = { kind: 'score', recipe, from: study.folderOf(`${name}/base`), criterion };
        const record = await study.measure<ScoresRecord>(`${name}/scores-${criterion}`, 'network', task);
        scores.push({ objective, criterion, seed, ...record });
      }
    }
  }
  await study.publish(buildReport(prunings, scores), presentReport);
}

function withTerms(recipe: Recipe, objective: (typeof OBJECTIVES)[number]): Recipe {
  return {
    ...recipe,
    l1: objective === 'none' || objective === 'orthogonality' ? 0 : recipe.l1,
    orthogonality: objective === 'none' || objective === 'l1' ? 0 : recipe.orthogonality,
  };
}
