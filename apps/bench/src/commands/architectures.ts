import { Command } from 'commander';
import { removalOf } from '../architectures/removal.ts';
import { buildReport, type MeasuredArchitecture, presentReport } from '../architectures/report.ts';
import { list, share } from '../arguments.ts';
import {
  addNetworkStudyOptions,
  epochsOf,
  type NetworkStudyOptions,
  protocolOf,
  recipeOf,
  setupOf,
} from '../network-study/options.ts';
import { pruneInSteps } from '../network-study/prune-in-steps.ts';
import { ARCHITECTURES, type Architecture } from '../networks.ts';
import { addStudyOptions, Study, type StudyOptions } from '../study/study.ts';

interface ArchitecturesOptions extends NetworkStudyOptions, StudyOptions {
  readonly networks: readonly Architecture[];
  readonly tolerance: number;
}

const DEFAULTS: Architecture[] = ['vgg16', 'resnet20', 'resnet56', 'mobilenetv2', 'densenet40', 'vit', 'unet'];

export function architecturesCommand(): Command {
  const command = new Command('architectures')
    .description('how far each architecture can be pruned within a tolerance')
    .option('--networks <names>', `of ${ARCHITECTURES.join(', ')}`, list(ARCHITECTURES), DEFAULTS)
    .option(
      '--tolerance <share>',
      'by how much validation accuracy may fall below the unpruned network trained for as long',
      share,
      0.01,
    )
    .option('--validation <share>', 'share of the training images that this is judged by', share, 0.2);
  const defaults = { seeds: 1, width: 0.5, epochs: 15, iterations: 20, finalTuneEpochs: 3, maxFraction: 0.1 };
  return addStudyOptions(addNetworkStudyOptions(command, defaults)).action(architectures);
}

async function architectures({ networks, minutes, out, json, ...options }: ArchitecturesOptions): Promise<void> {
  const study = await Study.open(setupOf(options), { out, json, ...(minutes !== undefined && { minutes }) });
  const { tolerance, seeds } = options;
  study.announce(networks.length * seeds * epochsOf(options));
  const measured: MeasuredArchitecture[] = [];
  for (const network of networks) {
    for (let seed = 0; seed < seeds; seed++) {
      const { folders, ...pruned } = await pruneInSteps(study, {
        name: `${network}/seed-${seed}`,
        pruning: 'pruned',
        recipe: recipeOf(options, { network, seed }),
        protocol: protocolOf(options, { ...removalOf(network), tolerance, fillUp: false }),
      });
      measured.push({ network, seed, ...pruned });
    }
  }
  await study.publish(buildReport(measured, tolerance), presentReport);
}
