import { Command } from 'commander';
import { count, factors, list, share } from '../arguments.ts';
import {
  addNetworkStudyOptions,
  epochsOf,
  type NetworkStudyOptions,
  protocolOf,
  recipeOf,
  setupOf,
} from '../network-study/options.ts';
import { pruneInSteps } from '../network-study/prune-in-steps.ts';
import { requireReached } from '../network-study/require-reached.ts';
import { type Architecture, CLASSIFIERS } from '../networks.ts';
import type { RobustnessRecord, RobustnessTask } from '../robustness/records.ts';
import { buildReport, type MeasuredState, presentReport, STATES } from '../robustness/report.ts';
import { addStudyOptions, Study, type StudyOptions } from '../study/study.ts';

interface RobustnessOptions extends NetworkStudyOptions, StudyOptions {
  readonly networks: readonly Architecture[];
  readonly target: number;
  readonly epsilons: readonly number[];
  readonly pgdSteps: number;
  readonly images: number;
}

export function robustnessCommand(): Command {
  const command = new Command('robustness')
    .description('accuracy under FGSM and PGD before and after pruning')
    .option('--networks <names>', `of ${CLASSIFIERS.join(', ')}`, list(CLASSIFIERS), ['vgg16', 'resnet20'])
    .option('--target <share>', 'share of the MACs to remove', share, 0.5)
    .option('--epsilons <numbers>', 'largest changes of a pixel value, in 255ths', factors, [2, 4, 8])
    .option('--pgd-steps <count>', 'steps of projected gradient descent', count, 10)
    .option('--images <count>', 'test images to attack', count, 1000);
  const defaults = { seeds: 3, width: 0.25, epochs: 15, iterations: 12, finalTuneEpochs: 5, maxFraction: 0.1 };
  return addStudyOptions(addNetworkStudyOptions(command, defaults)).action(robustness);
}

async function robustness({ networks, epsilons, minutes, out, json, ...options }: RobustnessOptions): Promise<void> {
  const { target, pgdSteps, images } = options;
  const setup = { ...setupOf(options), epsilons: epsilons.join() };
  const study = await Study.open(setup, { out, json, ...(minutes !== undefined && { minutes }) });
  study.announce(networks.length * options.seeds * epochsOf(options));
  const measured: MeasuredState[] = [];
  for (const network of networks) {
    for (let seed = 0; seed < options.seeds; seed++) {
      const name = `${network}/seed-${seed}`;
      const recipe = recipeOf(options, { network, seed });
      const protocol = protocolOf(options, { coupled: 'together', fillUp: false, target });
      const pruning = await pruneInSteps(study, { name, pruning: 'pruned', recipe, protocol });
      requireReached(target, pruning, `${network}, seed ${seed}`);
      const { folders, base, pruned } = pruning;
      const networksOf = { unpruned: folders.base, 'trained as long': folders.longer, pruned: folders.pruned };
      for (const state of STATES) {
        const task: RobustnessTask = { recipe, from: networksOf[state], images, epsilons, pgdSteps };
        const piece = `${name}/attacked-${state.replaceAll(' ', '-')}`;
        const record = await study.measure<RobustnessRecord>(piece, 'robustness', task);
        const macsRemoved = state === 'pruned' ? 1 - pruned.macs / base.macs : 0;
        measured.push({ network, seed, state, macsRemoved, ...record });
      }
    }
  }
  await study.publish(buildReport(measured, epsilons), presentReport);
}
