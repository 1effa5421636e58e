import { CRITERION_KINDS } from '@secateur/core';
import { Command } from 'commander';
import { choice, count, share, shares } from '../arguments.ts';
import { parseCriteria, parseCriterion } from '../criteria/parse-criterion.ts';
import { buildReport, type MeasuredNetwork, type MeasuredRemoval, presentReport } from '../criteria/report.ts';
import { addRecipeOptions, type RecipeOptions, recipeOf, setupOf } from '../network-study/options.ts';
import type { NetworkRecord, NetworkTask, Removal } from '../network-study/recipe.ts';
import { requireReached } from '../network-study/require-reached.ts';
import { type Architecture, CLASSIFIERS } from '../networks.ts';
import { addStudyOptions, Study, type StudyOptions } from '../study/study.ts';

const SCOPES = ['global', 'layer'] as const;
const NORMALISATIONS = ['usual', 'layer-mean', 'none'] as const;

interface CriteriaOptions extends RecipeOptions, StudyOptions {
  readonly network: Architecture;
  readonly criteria: readonly string[];
  readonly targets: readonly number[];
  readonly fineTuneEpochs: number;
  readonly scope: (typeof SCOPES)[number];
  readonly normalise: (typeof NORMALISATIONS)[number];
  readonly minFilters: number;
  readonly maxLayerFraction: number;
}

export function criteriaCommand(): Command {
  const command = new Command('criteria')
    .description('what each criterion keeps, at equal MACs and an equal number of training steps')
    .option('--network <name>', `one of ${CLASSIFIERS.join(', ')}`, choice(CLASSIFIERS), 'vgg16')
    .option('--criteria <names>', 'comma-separated; name=value for a setting', parseCriteria, [...CRITERION_KINDS])
    .option('--targets <shares>', 'shares of the MACs to have removed, one after the other', shares, [0.3, 0.5, 0.7])
    .option('--fine-tune-epochs <count>', 'epochs after each removal', count, 1)
    .option('--scope <name>', `one of ${SCOPES.join(', ')}`, choice(SCOPES), 'global')
    .option('--normalise <how>', `one of ${NORMALISATIONS.join(', ')}`, choice(NORMALISATIONS), 'usual')
    .option('--min-filters <count>', 'what every layer keeps', count, 4)
    .option('--max-layer-fraction <share>', "share of a layer's filters that one removal may take", share, 0.6);
  return addStudyOptions(addRecipeOptions(command, { seeds: 3, width: 0.25, epochs: 15 })).action(criteria);
}

async function criteria({ criteria: names, targets, minutes, out, json, ...options }: CriteriaOptions): Promise<void> {
  const { network, seeds, epochs, fineTuneEpochs } = options;
  const inOrder = [...targets].sort((a, b) => a - b);
  const setup = { ...setupOf(options), targets: inOrder.join() };
  const study = await Study.open(setup, { out, json, ...(minutes !== undefined && { minutes }) });
  study.announce(seeds * (epochs + (names.length + 1) * inOrder.length * fineTuneEpochs));
  const unpruned: MeasuredNetwork[] = [];
  const longer: MeasuredNetwork[] = [];
  const removals: MeasuredRemoval[] = [];
  for (let seed = 0; seed < seeds; seed++) {
    const recipe = recipeOf(options, { network, seed });
    const base = `seed-${seed}/base`;
    const measure = (place: string, work: { kind: NetworkTask['kind']; epochs: number } & Record<string, unknown>) =>
      study.measure<NetworkRecord>(place, 'network', { ...work, recipe, to: study.folderOf(place) });
    const first = await measure(base, { kind: 'train', epochs });
    unpruned.push({ seed, ...first });

    /** Tunes at each target, from what it had at the one before. */
    const goThrough = async (name: string, workAt: (target: number, step: number) => { kind: 'tune' | 'remove' }) => {
      const records: NetworkRecord[] = [];
      let from = base;
      for (const [step, target] of inOrder.entries()) {
        const place = `seed-${seed}/${name}/${target}`;
        const firstEpoch = epochs + step * fineTuneEpochs;
        const work = { firstEpoch, from: study.folderOf(from), epochs: fineTuneEpochs, ...workAt(target, step) };
        records.push(await measure(place, work));
        from = place;
      }
      return records;
    };
    const trained = await goThrough('trained-as-long', () => ({ kind: 'tune', like: 'fine' }));
    longer.push(...trained.map((record) => ({ seed, ...record })));
    for (const criterion of names) {
      const pruned = await goThrough(criterion, (target, step) => ({
        kind: 'remove',
        removal: removalOf(options, {
          criterion: ofItsOwnSeed(criterion, { seed, step }),
          atMostMacs: (1 - target) * first.macs,
        }),
      }));
      pruned.forEach((record, step) => {
        const target = inOrder[step]!;
        requireReached(target, { base: first, pruned: record }, `${criterion}, seed ${seed}`);
        removals.push({ seed, criterion, target, ...record });
      });
    }
  }
  await study.publish(buildReport({ targets: inOrder, unpruned, longer, removals }), presentReport);
}

function removalOf(
  { scope, normalise, minFilters, maxLayerFraction }: Omit<CriteriaOptions, 'criteria' | 'targets' | 'out' | 'json'>,
  own: Pick<Removal, 'criterion' | 'atMostMacs'>,
): Removal {
  return {
    strategy: 'percentage',
    threshold: 0,
    maxFraction: 1,
    minFilters,
    maxLayerFraction,
    kinds: ['conv'],
    coupled: 'stay',
    scope,
    normalise,
    ...own,
  };
}

/** Chance differs from network to network and from removal to removal. */
function ofItsOwnSeed(name: string, { seed, step }: { readonly seed: number; readonly step: number }): string {
  const criterion = parseCriterion(name);
  return criterion.kind === 'random' ? `random=${1000 * (seed + 1) + criterion.seed + step}` : name;
}
