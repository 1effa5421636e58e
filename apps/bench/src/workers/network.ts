// Trains, tunes, prunes or scores a network, does one NetworkTask.
import { classAwarePruning, isClassAware, type Objective, scoreFilters } from '@secateur/core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { CANVAS, openCanvases } from '../canvases.ts';
import { openCifar10, type PrunableImages } from '../cifar10.ts';
import { parseCriterion } from '../criteria/parse-criterion.ts';
import type { NetworkRecord, NetworkTask, Recipe, Removal, ScoresRecord } from '../network-study/recipe.ts';
import { trainResumably } from '../network-study/resumable-training.ts';
import { buildNetwork } from '../networks.ts';
import { answer } from '../study/answer.ts';
import { measureAccuracy, sizeOf } from '../study/measure-network.ts';
import { loadModel, saveModel } from '../study/model-files.ts';
import { OBJECTIVE, PRECISION, type Tuning, tunings } from '../study/quickstart.ts';

await answer(async (task: NetworkTask): Promise<NetworkRecord | ScoresRecord> => {
  const { recipe, firstEpoch = 0 } = task;
  const open = recipe.network === 'unet' ? openCanvases : openCifar10;
  const images = await open({ ...recipe, firstEpoch });
  try {
    return await perform(task, images);
  } finally {
    await images.close();
  }
});

async function perform(task: NetworkTask, images: PrunableImages): Promise<NetworkRecord | ScoresRecord> {
  const { recipe } = task;
  if (task.kind === 'score') return score(await loadModel(task.from), task.criterion, images);
  const { base, ...after } = tunings({
    epochs: task.epochs,
    fineTuneEpochs: task.epochs,
    finalTuneEpochs: task.epochs,
  });
  switch (task.kind) {
    case 'train': {
      const model = build(recipe, images);
      await tune(model, images, { recipe, tuning: atItsRate(base, recipe), folder: task.to });
      return keep(model, images, { ...task, removed: 0 });
    }
    case 'tune': {
      const model = await loadModel(task.from);
      await tune(model, images, { recipe, tuning: atItsRate(after[task.like ?? 'final'], recipe), folder: task.to });
      return keep(model, images, { ...task, removed: 0 });
    }
    case 'remove': {
      const { model, removed } = await remove(await loadModel(task.from), images, {
        removal: task.removal,
        recipe,
        tuning: atItsRate(after.fine, recipe),
      });
      return keep(model, images, { ...task, removed, epochs: removed === 0 ? 0 : task.epochs });
    }
    default:
      return task satisfies never;
  }
}

function build({ network, width, seed }: Recipe, { training }: PrunableImages): LayersModel {
  const size = network === 'unet' ? CANVAS : 32;
  return buildNetwork(network, { width, seed, classes: training.classNames.length, inputShape: [size, size, 3] });
}

/** Without batch norm, a transformer needs smaller steps than a convolutional network. */
function atItsRate({ epochs, schedule }: Tuning, { network }: Recipe): Tuning {
  if (network !== 'vit' || schedule.kind !== 'one-cycle') return { epochs, schedule };
  return { epochs, schedule: { ...schedule, peak: schedule.peak / 4 } };
}

function objectiveOf({ l1, orthogonality }: Recipe): Objective {
  return { ...OBJECTIVE, l1, orthogonality };
}

async function tune(
  model: LayersModel,
  { training }: PrunableImages,
  { recipe, tuning, folder }: { readonly recipe: Recipe; readonly tuning: Tuning; readonly folder: string },
): Promise<void> {
  await trainResumably(model, training, { ...tuning, objective: objectiveOf(recipe), precision: PRECISION, folder });
}

async function remove(
  model: LayersModel,
  images: PrunableImages,
  { removal, recipe, tuning }: { readonly removal: Removal; readonly recipe: Recipe; readonly tuning: Tuning },
): Promise<{ model: LayersModel; removed: number }> {
  const { criterion: name, strategy, threshold, maxFraction, minFilters, maxLayerFraction, kinds, coupled } = removal;
  const { scope = 'global', normalise = 'usual' } = removal;
  const limits = { maxFraction, minFilters, maxLayerFraction, scope };
  const events = classAwarePruning(model, images, {
    criterion: parseCriterion(name),
    selection: { strategy, ...limits, ...(strategy !== 'percentage' && { threshold }) },
    ...(normalise !== 'usual' && { ranking: { normalise: normalise === 'layer-mean' ? 'layer mean' : 'none' } }),
    graph: { kinds, coupled },
    fineTune: { ...tuning, objective: objectiveOf(recipe), precision: PRECISION },
    tolerance: 1,
    maxIterations: 1,
    ...(removal.atMostMacs !== undefined && { target: { kind: 'macs', atMost: removal.atMostMacs } }),
  });
  let removed = 0;
  for await (const event of events) {
    if (event.type === 'pruned') removed = event.selection.removed.length;
    if (event.type === 'finished') return { model: event.result.model, removed };
  }
  throw new Error('The pruning loop ended without a result.');
}

async function keep(
  model: LayersModel,
  images: PrunableImages,
  { to, epochs, removed }: { readonly to: string; readonly epochs: number; readonly removed: number },
): Promise<NetworkRecord> {
  await saveModel(model, to);
  return { ...(await measureAccuracy(model, images)), ...sizeOf(model), epochs, removed };
}

async function score(model: LayersModel, name: string, { scoring }: PrunableImages): Promise<ScoresRecord> {
  const criterion = parseCriterion(name);
  if (!isClassAware(criterion)) {
    throw new Error(
      `Expected a criterion that counts classes, to see how far its scores lie apart, but got '${name}'.`,
    );
  }
  const layers = await scoreFilters(model, scoring, { criterion });
  const scores = layers.flatMap(({ numerators, denominator }) => Array.from(numerators, (n) => n / denominator));
  return { classes: scoring.classNames.length, scores };
}
