import {
  ALL_REMOVABLE,
  applyPlan,
  countCost,
  createPlan,
  type LayerScores,
  needsImages,
  type PruningPlan,
  rankByShare,
  readGraph,
  type ScoreCombination,
  type SelectionOptions,
  type SelectionScope,
  type SelectionStrategy,
  selectFilters,
  validatePlan,
} from '@secateur/core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Command } from 'commander';
import type { Bind, Invocation } from '../cli.ts';
import { EXIT, type ExitCode, UsageError } from '../exit.ts';
import { adaptDataset } from '../run/model-data.ts';
import { loadModel, trainingDataOf } from '../run/model-folder.ts';
import { readJson, readScores } from '../run/scores-file.ts';
import { specialistOf } from '../run/specialist.ts';
import { change, count, whole } from '../terminal/format.ts';
import { table } from '../terminal/table.ts';
import {
  addCommonOptions,
  addDataOption,
  addEngineOptions,
  addOutOptions,
  COMBINATIONS,
  choice,
  integer,
  names,
  number,
  type OutFlags,
  SCOPES,
} from './options.ts';
import { addScoringOptions, chosenCriterion, type ScoringFlags, scoreWith } from './score.ts';
import { loadDatasetFor, startEngineFor } from './start.ts';
import { withRunDirectory } from './with-run-directory.ts';

type Flags = ScoringFlags &
  OutFlags & {
    readonly plan?: string;
    readonly scores?: string;
    readonly classes?: readonly string[];
    readonly strategy: SelectionStrategy;
    readonly threshold?: number;
    readonly scope: SelectionScope;
    readonly maxFraction: number;
    readonly minFilters: number;
    readonly maxLayerFraction: number;
    readonly roundTo: number;
    readonly normalise?: 'layer-mean' | 'none';
    readonly combine: ScoreCombination;
    readonly coupled?: boolean;
    readonly leaveAlone?: readonly string[];
  };

export function pruneCommand(program: Command, bind: Bind): void {
  const command = program
    .command('prune')
    .description('Removes filters from a saved network, once, and saves the smaller network.')
    .argument('<model>', 'model folder, run directory or .onnx file')
    .option('--plan <file>', 'remove what this plan says')
    .option('--scores <file>', 'choose by these scores; default: score the filters now')
    .addOption(
      choice('--strategy <name>', 'threshold, percentage or both', ['threshold', 'percentage', 'both']).default('both'),
    )
    .option(
      '--threshold <share>',
      "candidates are filters below this share of the classes (default: 0.3), or for baselines of their layer's mean score",
      number,
    )
    .addOption(choice('--scope <name>', 'rank filters global or in each layer', SCOPES).default('global'))
    .option('--max-fraction <share>', 'most of all filters that go', number, 0.1)
    .option('--min-filters <n>', 'what every layer keeps', integer(1), 1)
    .option('--max-layer-fraction <share>', "most of one layer's filters that go", number, 1)
    .option('--round-to <n>', 'layers that lose filters keep a multiple of n, such as 8', integer(1), 1)
    .addOption(
      choice('--normalise <how>', 'layer-mean or none; default: layer-mean for baselines', ['layer-mean', 'none']),
    )
    .option('--coupled', 'let filters that meet in an addition go, all together')
    .addOption(
      choice('--combine <name>', 'what the scores of coupled filters become: max, mean or sum', COMBINATIONS).default(
        'mean',
      ),
    )
    .option('--leave-alone <layers>', "layers that lose no filters, such as conv1,'block3_*'", names)
    .option('--classes <names>', 'make a specialist: keep these classes only, such as cat,dog', names);
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
  secateur prune runs/resnet20 --criterion l1-norm --scope layer --strategy percentage --round-to 8
  secateur prune runs/resnet20 --classes cat,dog --criterion relative    a specialist, to be fine-tuned
  secateur prune from-pytorch.onnx --criterion l1-norm --out runs/pruned    a network from elsewhere
  secateur prune runs/resnet20 --plan runs/pruned/plan.json    the same removal again`,
    )
    .action(bind(prune));
}

async function prune(invocation: Invocation<Flags>): Promise<ExitCode> {
  const { flags, terminal } = invocation;
  const [path] = invocation.args as [string];
  if (flags.plan && flags.scores) throw new UsageError('--plan and --scores exclude each other: give one of them.');
  const engine = await startEngineFor(invocation);
  const model = await loadNetwork(invocation, path);
  const plan = flags.plan
    ? validatePlan(await readJson(flags.plan, 'a pruning plan'), readGraph(model, ALL_REMOVABLE))
    : await choosePlan(model, invocation);
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

/** The saved network, or what is left of it for some classes. */
async function loadNetwork(invocation: Invocation<Flags>, path: string): Promise<LayersModel> {
  const { classes } = invocation.flags;
  const model = await loadModel(path, (note) => invocation.terminal.warn(note));
  if (!classes) return model;
  const known = trainingDataOf(model);
  if (known) return specialistOf(model, { ...known, classes });
  const { train, statistics } = adaptDataset(await loadDatasetFor(invocation), model);
  return specialistOf(model, { ...statistics, classNames: train.classNames, classes });
}

async function choosePlan(model: LayersModel, invocation: Invocation<Flags>): Promise<PruningPlan> {
  const { flags } = invocation;
  const graph = readGraph(model, {
    coupled: flags.coupled ? 'together' : 'stay',
    ...(flags.leaveAlone && { ignore: flags.leaveAlone }),
  });
  const canLose = [...new Set(graph.groups.flatMap(({ producers }) => producers))];
  const scores = flags.scores ? await readScores(flags.scores) : await scoreNow(model, canLose, invocation);
  const prunable = scores.filter(({ layer, filters }) => {
    const expected = canLose.includes(layer) ? graph.filters.get(layer) : undefined;
    if (expected !== undefined && filters !== expected) {
      throw new Error(
        `The scores list ${filters} filters of '${layer}', but the model has ${expected}. Score this model anew.`,
      );
    }
    return expected !== undefined;
  });
  if (prunable.length === 0) throw new Error('The scores name no layer of this model that can lose filters.');
  const { removed } = selectFilters(
    rankByShare(prunable, {
      groups: graph.groups,
      combine: flags.combine,
      ...(flags.normalise && { normalise: flags.normalise === 'none' ? 'none' : 'layer mean' }),
    }),
    { ...selectionOf(flags, prunable), layerSizes: graph.filters },
  );
  return createPlan(removed, { graph });
}

async function scoreNow(
  model: LayersModel,
  layers: readonly string[],
  invocation: Invocation<Flags>,
): Promise<LayerScores[]> {
  const dataset = needsImages(chosenCriterion(invocation.flags))
    ? adaptDataset(await loadDatasetFor(invocation), model)
    : undefined;
  return scoreWith(invocation, { model, dataset, layers });
}

/** The paper's threshold is a share of the classes; what other scores are below has to be said. */
function selectionOf(flags: Flags, scores: readonly LayerScores[]): SelectionOptions {
  const { strategy, scope, maxFraction, minFilters, maxLayerFraction, roundTo } = flags;
  const inClasses = scores.some(({ classes }) => classes > 0) && flags.normalise !== 'layer-mean';
  const threshold = flags.threshold ?? (inClasses ? 0.3 : undefined);
  const options = { strategy, scope, maxFraction, minFilters, maxLayerFraction, roundTo };
  if (threshold !== undefined) return { ...options, threshold };
  if (strategy === 'percentage') return options;
  throw new UsageError(
    `These scores are no numbers of classes, so the strategy '${strategy}' needs a --threshold: a share of the layer's mean score. Or give --strategy percentage.`,
  );
}
