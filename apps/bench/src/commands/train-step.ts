import { Command } from 'commander';
import { count, device, list } from '../arguments.ts';
import { addComparisonOptions, type ComparisonOptions, compareAll } from '../comparison/command.ts';
import { measureCeiling } from '../train-step/ceiling.ts';
import { GOALS, GPU_GOALS } from '../train-step/goals.ts';
import {
  keyOf,
  NETWORKS,
  type NetworkName,
  OBJECTIVES,
  type ObjectiveName,
  PRECISIONS,
  type RunOptions,
  type Setting,
} from '../train-step/setting.ts';

interface TrainStepOptions extends RunOptions, ComparisonOptions {
  readonly models: readonly NetworkName[];
  readonly precisions: readonly Setting['precision'][];
  readonly objectives: readonly ObjectiveName[];
  readonly ceiling: boolean;
}

export function trainStepCommand(): Command {
  const command = new Command('train-step')
    .description('images per second of a training step, next to PyTorch')
    .option('--models <names>', `of ${NETWORKS.join(', ')}`, list(NETWORKS), [...NETWORKS])
    .option('--precisions <names>', `of ${PRECISIONS.join(', ')}`, list(PRECISIONS), [...PRECISIONS])
    .option('--objectives <names>', `of ${OBJECTIVES.join(', ')}`, list(OBJECTIVES), [...OBJECTIVES])
    .option('--batch <images>', 'images in a batch', count, 128)
    .option('--device <name>', 'where either side computes: cpu, cuda or cuda:<number>', device, 'cpu')
    .option('--warmup <steps>', 'steps of a run before the measured ones', count, 30)
    .option('--steps <count>', 'measured steps of a run', count, 12)
    .option('--ceiling', "instead: the convolutions' share of our step, by oneDNN's own clock", false);
  return addComparisonOptions(command).action(trainStep);
}

async function trainStep({ models, precisions, objectives, ceiling, ...options }: TrainStepOptions): Promise<void> {
  const { width, batch, device, warmup, steps, threads, rounds, retries } = options;
  const onProcessor = device === 'cpu';
  const settings = settingsOf({ models, precisions, objectives });
  if (ceiling) {
    if (!onProcessor)
      throw new Error(`Expected --ceiling with --device cpu, where oneDNN computes, but got ${device}.`);
    return measureCeiling(settings, options);
  }
  await compareAll(
    {
      worker: 'train-step',
      peer: 'train_step.py',
      settings: settings.map((setting) => ({
        key: keyOf(setting),
        batch,
        told: { ...setting, batch, device, warmup, steps },
      })),
      goals: onProcessor ? GOALS : GPU_GOALS,
      // Beside a GPU the processor only calls kernels: how busy it is tells nothing.
      busyThreads: onProcessor ? threads : 0,
      shown: { width, batch, device, warmup, steps, threads, rounds, retries },
      title: `Training steps of ${batch} images${onProcessor ? '' : ` on ${device}`}`,
      notes: notesFor(settings),
    },
    options,
  );
}

function settingsOf({
  models,
  precisions,
  objectives,
}: Pick<TrainStepOptions, 'models' | 'precisions' | 'objectives'>): Setting[] {
  return models.flatMap((model) =>
    precisions.flatMap((precision) => objectives.map((objective) => ({ model, precision, objective }))),
  );
}

function notesFor(settings: readonly Setting[]): string[] {
  const differ = settings.some(({ precision, objective }) => precision === 'bfloat16' && objective === 'full');
  return differ
    ? ["bfloat16/full: our orthogonality term is in bfloat16, PyTorch's in float32; float32/full is like for like."]
    : [];
}
