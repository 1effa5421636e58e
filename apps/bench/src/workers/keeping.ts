// Trains, plans or tunes, one Task.
import { join } from 'node:path';
import {
  applyPlan,
  type BatchSource,
  classAwarePruning,
  countCost,
  evaluate,
  OptimiserState,
  type PruningOptions,
  readGraph,
  recalibrateBatchNorm,
  sliceOptimiserState,
  type Teacher,
  train,
} from '@secateur/core';
import { continueEpochs } from '@secateur/data';
import { vgg11 } from '@secateur/models';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { openCifar10 } from '../cifar10.ts';
import { keepingOf, SELECTION } from '../keeping/protocol.ts';
import type { BaseRecord, PlansRecord, Task, VariantRecord } from '../keeping/records.ts';
import { answer } from '../study/answer.ts';
import { loadModel, loadMomentum, saveModel, saveMomentum } from '../study/model-files.ts';
import { OBJECTIVE, PRECISION, type Tuning, tunings } from '../study/quickstart.ts';

type Images = Awaited<ReturnType<typeof openCifar10>>;

const common = { objective: OBJECTIVE, precision: PRECISION } as const;

await answer(async (task: Task): Promise<BaseRecord | PlansRecord | VariantRecord> => {
  const { setup, seed, data } = task;
  const parts = await openCifar10({ ...setup, seed, data });
  const images = { ...parts, training: continueEpochs(parts.training) };
  try {
    switch (task.kind) {
      case 'base':
        return await trainBase(task, images);
      case 'plans':
        return await makePlans(task, images);
      case 'variant':
        return await tuneVariant(task, images);
      default:
        return task satisfies never;
    }
  } finally {
    await parts.close();
  }
});

function baseOf({ folder }: Task): string {
  return join(folder, 'base');
}

async function trainBase(task: Task, images: Images): Promise<BaseRecord> {
  const { setup, seed } = task;
  const model = vgg11({ width: setup.width, seed });
  const optimiserState = new OptimiserState();
  const { seconds } = await tune(model, images, { tuning: tunings(setup).base, optimiserState });
  await saveModel(model, baseOf(task));
  await saveMomentum(optimiserState, baseOf(task));
  return { testAccuracy: await accuracyOn(images.test, model), macs: countCost(model).macs, seconds };
}

async function makePlans(task: Task, images: Images): Promise<PlansRecord> {
  const { setup } = task;
  const options: PruningOptions = {
    ...SELECTION,
    fineTune: { ...tunings(setup).fine, ...common },
    tolerance: 1,
    target: { kind: 'macs', removed: setup.target },
  };
  const events = classAwarePruning(await loadModel(baseOf(task)), images, options);
  for await (const event of events) {
    if (event.type !== 'finished') continue;
    const { plans, cost, reason } = event.result;
    if (reason !== 'target reached') {
      throw new Error(`Expected to remove ${setup.target} of the MACs, but pruning ended before: ${reason}.`);
    }
    return { plans, macs: cost.macs };
  }
  throw new Error('The pruning loop ended without a result.');
}

/** Removes what the plans say, and trains in between, with what the variant does to keep accuracy. */
async function tuneVariant(task: Extract<Task, { kind: 'variant' }>, images: Images): Promise<VariantRecord> {
  const { setup, variant, plans } = task;
  const { fine, final } = tunings(setup);
  const { recalibrate, distillation, keepMomentum, rewind } = keepingOf(variant, setup);
  const unpruned = await loadModel(baseOf(task));
  const recalibrated = async (model: LayersModel) => {
    if (recalibrate) await recalibrateBatchNorm(model, images.training, { ...recalibrate, precision: PRECISION });
  };
  const afterRemoval: number[] = [];
  const totals = { steps: 0, seconds: 0, teacherSeconds: 0 };
  let model = unpruned;
  let momentum = await loadMomentum(baseOf(task));
  for (const [index, plan] of plans.entries()) {
    const graph = readGraph(model);
    const pruned = await applyPlan(model, plan, { graph });
    const carried = sliceOptimiserState(momentum, graph, plan);
    momentum.dispose();
    momentum = carried;
    if (model !== unpruned) model.dispose();
    model = pruned;
    await recalibrated(model);
    afterRemoval.push(await accuracyOn(images.validation, model));

    const { epochs, schedule } = index === plans.length - 1 ? final : fine;
    const spent = await tune(model, images, {
      tuning: { epochs, schedule: rewind ? { kind: 'rewind', ...rewind, last: epochs } : schedule },
      ...(distillation && { teacher: { ...distillation, model: unpruned } }),
      ...(keepMomentum && { optimiserState: momentum }),
    });
    await recalibrated(model);
    totals.steps += spent.steps;
    totals.seconds += spent.seconds;
    totals.teacherSeconds += spent.teacherSeconds;
  }
  return {
    macs: countCost(model).macs,
    afterRemoval,
    validationAccuracy: await accuracyOn(images.validation, model),
    testAccuracy: await accuracyOn(images.test, model),
    ...totals,
  };
}

async function tune(
  model: LayersModel,
  { training }: Images,
  {
    tuning,
    ...keeping
  }: { readonly tuning: Tuning; readonly teacher?: Teacher; readonly optimiserState?: OptimiserState },
): Promise<Pick<VariantRecord, 'steps' | 'seconds' | 'teacherSeconds'>> {
  const spent = { steps: 0, seconds: 0, teacherSeconds: 0 };
  for await (const event of train(model, training, { ...tuning, ...common, ...keeping })) {
    if (event.type !== 'step') continue;
    spent.steps++;
    spent.seconds += event.milliseconds / 1000;
    spent.teacherSeconds += event.teacherMilliseconds / 1000;
  }
  return spent;
}

async function accuracyOn(images: BatchSource, model: LayersModel): Promise<number> {
  return (await evaluate(model, images)).accuracy;
}
