import type { Evaluation } from '@secateur/core';
import { EXIT, type ExitCode } from '../exit.ts';
import type { CheckpointWriter } from '../run/checkpoints.ts';
import type { RunContext } from '../run/context.ts';
import { describePlace, type TrainingWork } from '../run/train-and-test.ts';
import { evaluationReport } from '../terminal/evaluation-report.ts';
import type { Job } from './go-on.ts';

interface TrainingSummary {
  readonly version: 1;
  readonly test: Evaluation;
  readonly [fact: string]: unknown;
}

/** How `train` and `finetune` go on: with the one training that they are. */
export const ONE_TRAINING: Pick<Job<'train' | 'finetune', TrainingWork>, 'describe' | 'showAgain'> = {
  describe: ({ training }) => `at ${describePlace(training)}`,
  showAgain: (summary, context) => showTraining(summary as TrainingSummary, context),
};

/** Writes summary.json, the last file of a training, and shows how well the network does. */
export async function finishTraining(
  summary: TrainingSummary,
  {
    checkpoints,
    ...context
  }: Pick<RunContext, 'directory' | 'stopwatch' | 'terminal'> & {
    readonly checkpoints: CheckpointWriter<TrainingWork>;
  },
): Promise<ExitCode> {
  const whole = { ...summary, seconds: context.stopwatch.seconds };
  context.directory.event({ type: 'completed' });
  await context.directory.writeJson('summary.json', whole);
  await checkpoints.clear();
  return showTraining(whole, context);
}

function showTraining(summary: TrainingSummary, { terminal }: Pick<RunContext, 'terminal'>): ExitCode {
  terminal.result({ text: () => evaluationReport(summary.test), value: summary });
  return EXIT.ok;
}
