// Does one Task, given as JSON, and prints its record.
import { join } from 'node:path';
import {
  applyPlan,
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
import '@secateur/tfjs-backend-torch';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { openCifar10 } from '../cifar10.ts';
import { keepingOf, SELECTION } from '../keeping/protocol.ts';
import type { BaseRecord, PlansRecord, Task, VariantRecord } from '../keeping/records.ts';
import { loadModel, loadMomentum, saveModel, saveMomentum } from '../study/model-files.ts';
import { OBJECTIVE, PRECISION, type Tuning, tunings } from '../study/quickstart.ts';

type VariantTask = Extract<Task, { kind: 'variant' }>;

const task = JSON.parse(process.argv[2]!) as Task;
const { setup, seed } = task;
const baseFolder = join(task.folder, 'base');
const { base, fine, final } = tunings(setup);
const common = { objective: OBJECTIVE, precision: PRECISION } as const;

await tf.setBackend('torch');
const parts = await openCifar10({ ...setup, seed, data: task.data });
const images = { ...parts, training: continueEpochs(parts.training) };
try {
  console.log(JSON.stringify(await perform()));
} finally {
  await images.close();
}

function perform(): Promise<BaseRecord | PlansRecord | VariantRecord> {
  switch (task.kind) {
    case 'base':
      return trainBase();
    case 'plans':
      return makePlans();
    case 'variant':
      return tuneVariant(task);
    default:
      return task satisfies never;
  }
}

async function trainBase(): Promise<BaseRecord> {
  const model = vgg11({ width: setup.width, seed });
  const optimiserState = new OptimiserState();
  const { seconds } = await tune(model, base, { optimiserState });
  await saveModel(model, baseFolder);
  await saveMomentum(optimiserState, baseFolder);
  return { testAccuracy: await testAccuracy(model), macs: countCost(model).macs, seconds };
}

async function makePlans(): Promise<PlansRecord> {
  const options: PruningOptions = {
    ...SELECTION,
    fineTune: { ...fine, ...common },
    tolerance: 1,
    target: { kind: 'macs', removed: setup.target },
  };
  const events = classAwarePruning(await loadModel(baseFolder), images, options);
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
async function tuneVariant({ variant, plans }: VariantTask): Promise<VariantRecord> {
  const { recalibrate, distillation, keepMomentum, rewind } = keepingOf(variant, setup);
  const unpruned = await loadModel(baseFolder);
  const recalibrated = async (model: LayersModel) => {
    if (recalibrate) await recalibrateBatchNorm(model, images.training, { ...recalibrate, precision: PRECISION });
  };
  const afterRemoval: number[] = [];
  const totals = { steps: 0, seconds: 0, teacherSeconds: 0 };
  let model = unpruned;
  let momentum = await loadMomentum(baseFolder);
  for (const [index, plan] of plans.entries()) {
    const graph = readGraph(model);
    const pruned = await applyPlan(model, plan, { graph });
    const carried = sliceOptimiserState(momentum, graph, plan);
    momentum.dispose();
    momentum = carried;
    if (model !== unpruned) model.dispose();
    model = pruned;
    await recalibrated(model);
    afterRemoval.push(await testAccuracy(model));

    const { epochs, schedule } = index === plans.length - 1 ? final : fine;
    const spent = await tune(
      model,
      { epochs, schedule: rewind ? { kind: 'rewind', ...rewind, last: epochs } : schedule },
      {
        ...(distillation && { teacher: { ...distillation, model: unpruned } }),
        ...(keepMomentum && { optimiserState: momentum }),
      },
    );
    await recalibrated(model);
    totals.steps += spent.steps;
    totals.seconds += spent.seconds;
    totals.teacherSeconds += spent.teacherSeconds;
  }
  return { macs: countCost(model).macs, afterRemoval, testAccuracy: await testAccuracy(model), ...totals };
}

async function tune(
  model: LayersModel,
  tuning: Tuning,
  keeping: { readonly teacher?: Teacher; readonly optimiserState?: OptimiserState } = {},
): Promise<Pick<VariantRecord, 'steps' | 'seconds' | 'teacherSeconds'>> {
  const spent = { steps: 0, seconds: 0, teacherSeconds: 0 };
  for await (const event of train(model, images.training, { ...tuning, ...common, ...keeping })) {
    if (event.type !== 'step') continue;
    spent.steps++;
    spent.seconds += event.milliseconds / 1000;
    spent.teacherSeconds += event.teacherMilliseconds / 1000;
  }
  return spent;
}

async function testAccuracy(model: LayersModel): Promise<number> {
  return (await evaluate(model, images.test)).accuracy;
}
