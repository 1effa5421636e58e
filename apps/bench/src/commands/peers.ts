import { Command } from 'commander';
import { count, countOrZero, counts, factor, list, share } from '../arguments.ts';
import { compareSides, type Run } from '../comparison/compare.ts';
import { prepareSides } from '../comparison/sides.ts';
import { short } from '../format.ts';
import { describeMachine } from '../machine.ts';
import { buildReport, type ComparedRuns, type MeasuredSetting, presentReport } from '../peers/report.ts';
import { PARTS, type Part, type PeerOptions, settingsOf } from '../peers/settings.ts';
import { median } from '../statistics.ts';
import { addStudyOptions, Study, type StudyOptions } from '../study/study.ts';
import { NETWORKS, PRECISIONS } from '../train-step/setting.ts';

interface PeersOptions extends PeerOptions, StudyOptions {
  readonly parts: readonly Part[];
  readonly width: number;
  readonly threads: number;
  readonly rounds: number;
  readonly retries: number;
  readonly python?: string;
}

export function peersCommand(): Command {
  const command = new Command('peers')
    .description('time and peak memory of training, scoring, surgery and the whole way, next to PyTorch')
    .option('--parts <names>', `of ${PARTS.join(', ')}`, list(PARTS), [...PARTS])
    .option('--models <names>', `of ${NETWORKS.join(', ')}`, list(NETWORKS), ['vgg16', 'resnet56'])
    .option('--precisions <names>', `of training: ${PRECISIONS.join(', ')}`, list(PRECISIONS), [...PRECISIONS])
    .option('--batch <images>', 'images in a training batch', count, 128)
    .option('--steps <count>', 'training steps, and as many before; of the whole way each time', count, 20)
    .option('--classes <counts>', 'of scoring passes, comma-separated', counts, [10, 100])
    .option('--images <count>', 'scoring images of each class', count, 10)
    .option('--iterations <count>', 'removals on the whole way', count, 3)
    .option('--share <share>', "of each layer's filters that each of them takes", share, 0.2)
    .option('--repeats <count>', 'scoring passes or cuts of a run', count, 5)
    .option('--width <factor>', "factor on the networks' widths", factor, 1)
    .option('--threads <count>', 'threads of either side', count, 2)
    .option('--rounds <count>', 'runs of each side that count', count, 3)
    .option('--retries <count>', 'most rounds to measure again when something else used the CPUs', countOrZero, 3)
    .option('--python <path>', 'a Python with torch (default: python3, then /usr/bin/python3)');
  return addStudyOptions(command).action(peers);
}

async function peers({ parts, python, minutes, out, json, ...options }: PeersOptions): Promise<void> {
  const { width, threads, rounds, retries } = options;
  const sidesOf = await prepareSides({ threads, ...(python !== undefined && { python }) });
  const { models: _, precisions: __, classes: ___, ...setup } = options;
  const study = await Study.open(setup, { out, json, ...(minutes !== undefined && { minutes }) });
  const measured: MeasuredSetting[] = [];
  for (const part of parts) {
    for (const { key, told, goal, usesAllThreads, ...programs } of settingsOf(part, options)) {
      const compared = await study.keep<ComparedRuns>(`${part}/${key.replaceAll(/[^\w.]+/g, '-')}`, async () => {
        const machine = describeMachine();
        const busyThreads = usesAllThreads ? threads : 1;
        const measure = sidesOf(programs, { ...told, width });
        const onRun = ({ round, side, milliseconds, disturbed }: Run) =>
          console.error(
            `  round ${round + 1} ${side}: ${short(median(milliseconds))} ms${disturbed ? ', disturbed' : ''}`,
          );
        return {
          ...(await compareSides(key, { batch: 1, threads: busyThreads, rounds, retries, measure, onRun })),
          machine,
        };
      });
      measured.push({ part, ...(goal !== undefined && { goal }), ...compared });
    }
  }
  await study.publish(buildReport(measured, threads), presentReport);
}
