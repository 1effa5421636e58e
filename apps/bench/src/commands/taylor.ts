import { Command } from 'commander';
import { count, list, numbersFromZero } from '../arguments.ts';
import { addRecipeOptions, type RecipeOptions, recipeOf, setupOf } from '../network-study/options.ts';
import type { NetworkRecord, NetworkTask } from '../network-study/recipe.ts';
import { type Architecture, CLASSIFIERS } from '../networks.ts';
import { addStudyOptions, Study, type StudyOptions } from '../study/study.ts';
import type { TaylorRecord, TaylorTask } from '../taylor/records.ts';
import { buildReport, type MeasuredNetwork, presentReport } from '../taylor/report.ts';

interface TaylorOptions extends RecipeOptions, StudyOptions {
  readonly networks: readonly Architecture[];
  readonly imagesPerClass: number;
  readonly taus: readonly number[];
}

export function taylorCommand(): Command {
  const command = new Command('taylor')
    .description('Taylor estimates against the exact change of the loss when a filter is removed')
    .option('--networks <names>', `of ${CLASSIFIERS.join(', ')}`, list(CLASSIFIERS), ['vgg11', 'resnet20'])
    .option('--images-per-class <count>', 'images to estimate and measure on', count, 20)
    .option('--taus <numbers>', 'levels of the reference score', numbersFromZero, [0, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3]);
  return addStudyOptions(addRecipeOptions(command, { seeds: 3, width: 0.25, epochs: 10 })).action(taylor);
}

async function taylor({ networks, taus, minutes, out, json, ...options }: TaylorOptions): Promise<void> {
  const setup = { ...setupOf(options), taus: taus.join() };
  const study = await Study.open(setup, { out, json, ...(minutes !== undefined && { minutes }) });
  const { epochs, seeds, imagesPerClass } = options;
  study.announce(networks.length * seeds * epochs);
  const measured: MeasuredNetwork[] = [];
  for (const network of networks) {
    for (let seed = 0; seed < seeds; seed++) {
      const name = `${network}/seed-${seed}`;
      const recipe = recipeOf(options, { network, seed });
      const from = study.folderOf(`${name}/base`);
      const training: NetworkTask = { kind: 'train', recipe, to: from, epochs };
      await study.measure<NetworkRecord>(`${name}/base`, 'network', training);
      const task: TaylorTask = { recipe, from, imagesPerClass, taus };
      measured.push({ network, seed, ...(await study.measure<TaylorRecord>(`${name}/removals`, 'taylor', task)) });
    }
  }
  await study.publish(buildReport(measured, taus), presentReport);
}
