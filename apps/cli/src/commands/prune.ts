import {
  ALL_REMOVABLE,
  applyPlan,
  countCost,
  createPlan,
  type LayerScores,
  type PruningPlan,
  rankByShare,
  readGraph,
  type SelectionStrategy,
  selectFilters,
  validatePlan,
} from '@secateur/core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Command } from 'commander';
import type { Bind, Invocation } from '../cli.ts';
import { EXIT, type ExitCode, UsageError } from '../exit.ts';
import { adaptDataset } from '../run/model-data.ts';
import { loadModel } from '../run/model-folder.ts';
import { readJson, readScores } from '../run/scores-file.ts';
import { change, count, whole } from '../terminal/format.ts';
import { table } from '../terminal/table.ts';
import {
  addCommonOptions,
  addDataOption,
  addEngineOptions,
  addOutOptions,
  choice,
  integer,
  number,
  type OutFlags,
} from './options.ts';
import { addScoringOptions, type ScoringFlags, scoreWith } from './score.ts';
import { loadDatasetFor, startEngineFor } from './start.ts';
import { withRunDirectory } from './with-run-directory.ts';

type Flags = ScoringFlags &
  OutFlags & {
    readonly plan?: string;
    readonly scores?: string;
    readonly strategy: SelectionStrategy;
    readonly threshold: number;
    readonly maxFraction: number;
    readonly minFilters: number;
    readonly maxLayerFraction: number;
  };

export function pruneCommand(program: Command, bind: Bind): void {
  const command = program
    .command('prune')
    .description('Removes filters from a saved network, once, and saves the smaller network.')
    .argument('<model>', 'model folder or run directory')
    .option('--plan <file>', 'remove what this plan says')
    .option('--scores <file>', 'choose by these scores; default: score the filters now')
    .addOption(
      choice('--strategy <name>', 'threshold, percentage or both', ['threshold', 'percentage', 'both']).default('both'),
    )
    .option('--threshold <share>', 'filters below this share of the classes are candidates', number, 0.3)
    .option('--max-fraction <share>', 'most of all filters that go', number, 0.1)
    .option('--min-filters <n>', 'what every layer keeps', integer(1), 1)
    .option('--max-layer-fraction <share>', "most of one layer's filters that go", number, 1);
  addScoringOptions(command);
  addOutOptions(command, 'runs/prune-<time>');
  addDataOption(command);
  addEngineOptions(command);
  addCommonOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  secateur prune runs/resnet20 --out runs/pruned               score, choose, remove
  secateur prune runs/resnet20 --scores runs/resnet20/scores.json --strategy percentage --max-fraction 0.3
  secateur prune runs/resnet20 --plan runs/pruned/plan.json    the same removal again`,
    )
    .action(bind(prune));
}

async function prune(invocation: Invocation<Flags>): Promise<ExitCode> {
  const { flags, terminal } = invocation;
  const [path] = invocation.args as [string];
  if (flags.plan && flags.scores) throw new UsageError('--plan and --scores exclude each other: give one of them.');
  const engine = await startEngineFor(invocation);
  const model = await loadModel(path);
  const plan = flags.plan
    ? validatePlan(await readJson(flags.plan, 'a pruning plan'), readGraph(model, ALL_REMOVABLE))
    : choosePlan(model, await scoresFor(invocation, model), flags);
  const before = countCost(model);
  const identity = { command: 'prune', model: path, engine };
  return withRunDirectory(invocation, { name: 'prune', identity }, async ({ directory }) => {
    const pruned = await applyPlan(model, plan);
    await directory.writeJson('plan.json', plan);
    await directory.saveModel('model', pruned);
    const after = countCost(pruned);
    const removed = Object.values(plan.remove).reduce((sum, filters) => sum + filters.length, 0);
    const cost = ({ macs, parameters }: typeof before) => ({ macs, parameters });
    const value = { version: 1, command: 'prune', model: path, removed, before: cost(before), after: cost(after) };
    await directory.writeJson('summary.json', value);
    const row = (name: string, key: 'macs' | 'parameters') => [
      name,
      count(before[key]),
      count(after[key]),
      change(before[key], after[key]),
    ];
    terminal.result({
      text: () =>
        table(
          [
            { title: `${whole(removed)} ${removed === 1 ? 'filter' : 'filters'} removed` },
            { title: 'before' },
            { title: 'after' },
            { title: 'change' },
          ],
          [row('MACs', 'macs'), row('parameters', 'parameters')],
        ),
      value,
    });
    return EXIT.ok;
  });
}

async function scoresFor(invocation: Invocation<Flags>, model: LayersModel): Promise<LayerScores[]> {
  const { scores } = invocation.flags;
  if (scores) return readScores(scores);
  return scoreWith(invocation, { model, dataset: adaptDataset(await loadDatasetFor(invocation), model) });
}

function choosePlan(model: LayersModel, scores: readonly LayerScores[], flags: Flags): PruningPlan {
  const graph = readGraph(model);
  const canLose = new Set(graph.groups.flatMap(({ producers }) => producers));
  const prunable = scores.filter(({ layer, filters }) => {
    const expected = canLose.has(layer) ? graph.filters.get(layer) : undefined;
    if (expected !== undefined && filters !== expected) {
      throw new Error(
        `The scores list ${filters} filters of '${layer}', but the model has ${expected}. Score this model anew.`,
      );
    }
    return expected !== undefined;
  });
  if (prunable.length === 0) throw new Error('The scores name no layer of this model that can lose filters.');
  const { strategy, threshold, maxFraction, minFilters, maxLayerFraction } = flags;
  const options = { strategy, threshold, maxFraction, minFilters, maxLayerFraction };
  const { removed } = selectFilters(rankByShare(prunable), options);
  return createPlan(removed, { graph });
}
