import {
  ALL_REMOVABLE,
  applyPlan,
  composePlans,
  countCost,
  createPlan,
  type LayerScores,
  needsImages,
  type PruningPlan,
  rankByShare,
  readGraph,
  type SelectionOptions,
  selectFilters,
  validatePlan,
} from '@secateur/core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Command } from 'commander';
import type { Bind, Invocation } from '../cli.ts';
import { EXIT, type ExitCode, UsageError } from '../exit.ts';
import type { RunContext } from '../run/context.ts';
import { adaptDataset, trainingDataFor } from '../run/model-data.ts';
import { imagesOf, loadModel, trainingDataOf } from '../run/model-folder.ts';
import { readJson, readScores } from '../run/scores-file.ts';
import { specialistOf } from '../run/specialist.ts';
import { change, count, whole } from '../terminal/format.ts';
import { table } from '../terminal/table.ts';
import {
  addCommonOptions,
  addDataOption,
  addEngineOptions,
  addOutOptions,
  addSelectionOptions,
  names,
  normalisation,
  type OutFlags,
  type SelectionFlags,
} from './options.ts';
import { addScoringOptions, chosenCriterion, type ScoringFlags, scoreWith } from './score.ts';
import { loadDatasetFor, startEngineFor } from './start.ts';
import { withRunDirectory } from './with-run-directory.ts';

type Flags = ScoringFlags &
  OutFlags &
  SelectionFlags &
  Required<Pick<SelectionFlags, keyof typeof DEFAULTS>> & {
    readonly plan?: readonly string[];
    readonly scores?: string;
    readonly classes?: readonly string[];
  };

const DEFAULTS = {
  strategy: 'both',
  scope: 'global',
  maxFraction: 0.1,
  minFilters: 1,
  maxLayerFraction: 1,
  roundTo: 1,
  combine: 'mean',
} as const satisfies SelectionFlags;

export function pruneCommand(program: Command, bind: Bind): void {
  const command = program
    .command('prune')
    .description('Removes filters from a saved network, once, and saves the smaller network.')
    .argument('<model>', 'model folder, run directory or .onnx file')
    .option(
      '--plan <file>',
      'remove what this plan says; given several times, the plans of iterations that followed each other',
      (file: string, before: readonly string[] = []) => [...before, file],
    )
    .option('--scores <file>', 'choose by these scores; default: score the filters now')
    .option('--classes <names>', 'make a specialist: keep these classes only, such as cat,dog', names);
  addSelectionOptions(command, DEFAULTS);
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
  secateur prune runs/resnet20 --plan runs/pruned/plan.json    the same removal again
  secateur prune runs/a/checkpoints/unpruned --plan runs/a/plan-1.json --plan runs/a/plan-2.json   two iterations at once`,
    )
    .action(bind(prune));
}

async function prune(invocation: Invocation<Flags>): Promise<ExitCode> {
  const { flags, terminal } = invocation;
  const [path] = invocation.args as [string];
  if (flags.plan && flags.scores) throw new UsageError('--plan and --scores exclude each other: give one of them.');
  const engine = await startEngineFor(invocation);
  const model = await loadNetwork(invocation, path);
  const before = countCost(model);
  const identity = { command: 'prune', model: path, engine };
  const prepare = async () => {
    const plan = flags.plan
      ? validatePlan(await readPlans(flags.plan), readGraph(model, ALL_REMOVABLE))
      : await choosePlan(model, invocation);
    return { plan, pruned: await applyPlan(model, plan) };
  };
  const work = async ({ directory }: RunContext, { plan, pruned }: Awaited<ReturnType<typeof prepare>>) => {
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
  };
  return withRunDirectory(invocation, { name: 'prune', identity, prepare, work });
}

/** One plan for what the given ones do one after the other. */
async function readPlans(files: readonly string[]): Promise<PruningPlan> {
  const plans = await Promise.all(files.map((file) => readJson(file, 'a pruning plan')));
  return composePlans(plans as PruningPlan[]);
}

/** The saved network, or what is left of it for some classes. */
async function loadNetwork(invocation: Invocation<Flags>, path: string): Promise<LayersModel> {
  const { classes } = invocation.flags;
  const model = await loadModel(path, (note) => invocation.terminal.warn(note));
  if (!classes) return model;
  const known = trainingDataOf(model);
  if (known) return specialistOf(model, { ...known, classes });
  const dataset = adaptDataset(await loadDatasetFor(invocation, { network: imagesOf(model) }), model);
  return specialistOf(model, { ...trainingDataFor(dataset), classes });
}

async function choosePlan(model: LayersModel, invocation: Invocation<Flags>): Promise<PruningPlan> {
  const { flags } = invocation;
  const graph = readGraph(model, {
    ...(flags.kinds && { kinds: flags.kinds }),
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
      ...(flags.normalise && { normalise: normalisation(flags.normalise) }),
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
    ? adaptDataset(await loadDatasetFor(invocation, { network: imagesOf(model) }), model)
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
