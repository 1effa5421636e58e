import { Command } from 'commander';
import { counts, factor, list } from '../arguments.ts';
import { addComparisonOptions, type ComparisonOptions, compareAll } from '../comparison/command.ts';
import { GOALS } from '../inference/goals.ts';
import { CALLS, type InferenceRunOptions, type InferenceSetting, keyOf } from '../inference/setting.ts';
import { NETWORKS, type NetworkName, PRECISIONS } from '../train-step/setting.ts';

interface InferenceOptions extends InferenceRunOptions, ComparisonOptions {
  readonly models: readonly NetworkName[];
  readonly precisions: readonly InferenceSetting['precision'][];
  readonly batches: readonly number[];
  readonly calls: readonly InferenceSetting['call'][];
}

export function inferenceCommand(): Command {
  const command = new Command('inference')
    .description('images per second of model.predict and of traces, next to PyTorch')
    .option('--models <names>', `of ${NETWORKS.join(', ')}`, list(NETWORKS), [...NETWORKS])
    .option('--precisions <names>', `of ${PRECISIONS.join(', ')}`, list(PRECISIONS), [...PRECISIONS])
    .option('--batches <counts>', 'images in a batch', counts, [128, 1])
    .option('--calls <names>', `of ${CALLS.join(', ')}`, list(CALLS), [...CALLS])
    .option('--seconds <n>', 'how long a run measures; a third of it goes before', factor, 4);
  return addComparisonOptions(command).action(inference);
}

async function inference({ models, precisions, batches, calls, ...options }: InferenceOptions): Promise<void> {
  const { width, seconds, threads, rounds, retries } = options;
  const settings: InferenceSetting[] = models.flatMap((model) =>
    precisions.flatMap((precision) =>
      batches.flatMap((batch) => calls.map((call) => ({ model, precision, batch, call }))),
    ),
  );
  await compareAll(
    {
      worker: 'inference',
      peer: 'inference.py',
      settings: settings.map((setting) => ({
        key: keyOf(setting),
        batch: setting.batch,
        told: { ...setting, seconds },
      })),
      goals: GOALS,
      shown: { width, seconds, threads, rounds, retries },
      title: 'Predictions',
    },
    options,
  );
}
