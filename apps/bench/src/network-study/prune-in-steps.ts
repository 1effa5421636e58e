import type { Study } from '../study/study.ts';
import type { NetworkRecord, NetworkTask, Recipe, Removal } from './recipe.ts';

export interface PruningProtocol {
  /** Of the unpruned network; after each removal; after the last. */
  readonly epochs: number;
  readonly fineTuneEpochs: number;
  readonly finalTuneEpochs: number;
  /** Most removals. */
  readonly iterations: number;
  /** How far validation accuracy may fall below that of the unpruned network, trained for as long, as a share. Absent: without limit. */
  readonly tolerance?: number;
  /** Share of the MACs at which to stop. */
  readonly target?: number;
  /** Whether epochs of removals that did not come are trained after the last, so that all prunings get as many. */
  readonly fillUp: boolean;
  readonly removal: Removal;
}

/** Why no more was removed. */
export type Ending = 'iterations' | 'nothing to remove' | 'target reached' | 'tolerance exceeded';

export interface PrunedNetwork {
  readonly base: NetworkRecord;
  /** After each removal and its tuning, that which exceeded the tolerance included. */
  readonly steps: readonly NetworkRecord[];
  /** With a tolerance: the unpruned network that each of them is compared with. */
  readonly alongside: readonly NetworkRecord[];
  readonly ending: Ending;
  /** After the last tuning. */
  readonly pruned: NetworkRecord;
  /** The unpruned network, trained on for as many epochs as the pruned one was tuned. */
  readonly longer: NetworkRecord;
  readonly tuningEpochs: number;
  /** Where the networks lie. */
  readonly folders: { readonly base: string; readonly pruned: string; readonly longer: string };
}

/**
 * Trains a network, removes filters step by step, tunes what is left, and trains the unpruned network for as long: all pieces of their
 * own.
 *
 * @param name The folder of the unpruned network; prunings of the same one have names of their own in it.
 */
export async function pruneInSteps(
  study: Pick<Study, 'folderOf' | 'measure'>,
  { name, pruning, recipe, protocol }: { name: string; pruning: string; recipe: Recipe; protocol: PruningProtocol },
): Promise<PrunedNetwork> {
  const { epochs, fineTuneEpochs, finalTuneEpochs, iterations, tolerance, target, fillUp, removal } = protocol;
  type Work = NetworkTask extends infer Kind
    ? Kind extends { to: string }
      ? Omit<Kind, 'recipe' | 'to'>
      : never
    : never;
  const make = async (place: string, work: Work) => {
    const task = { ...work, recipe, to: study.folderOf(place) };
    return { place, record: await study.measure<NetworkRecord>(place, 'network', task) };
  };

  const base = await make(`${name}/base`, { kind: 'train', epochs });
  const atMostMacs = target === undefined ? undefined : (1 - target) * base.record.macs;
  const [steps, alongside]: [NetworkRecord[], NetworkRecord[]] = [[], []];
  let best = base;
  let unpruned = { ...base, spent: 0 };
  let spent = 0;
  let ending: Ending = 'iterations';
  for (let step = 1; step <= iterations; step++) {
    const next = await make(`${name}/${pruning}/step-${step}`, {
      kind: 'remove',
      firstEpoch: epochs + spent,
      from: study.folderOf(best.place),
      epochs: fineTuneEpochs,
      removal: { ...removal, ...(atMostMacs !== undefined && { atMostMacs }) },
    });
    if (next.record.removed === 0) {
      ending = 'nothing to remove';
      break;
    }
    steps.push(next.record);
    if (tolerance !== undefined) {
      const trained = await make(`${name}/unpruned/step-${step}`, {
        kind: 'tune',
        like: 'fine',
        firstEpoch: epochs + spent,
        from: study.folderOf(unpruned.place),
        epochs: fineTuneEpochs,
      });
      alongside.push(trained.record);
      if (trained.record.validation - next.record.validation > tolerance) {
        ending = 'tolerance exceeded';
        break;
      }
      unpruned = { ...trained, spent: spent + fineTuneEpochs };
    }
    spent += next.record.epochs;
    best = next;
    if (atMostMacs !== undefined && next.record.macs <= atMostMacs) {
      ending = 'target reached';
      break;
    }
  }
  const finalEpochs = finalTuneEpochs + (fillUp ? iterations * fineTuneEpochs - spent : 0);
  const tuningEpochs = spent + finalEpochs;
  const pruned = await make(`${name}/${pruning}/final`, {
    kind: 'tune',
    firstEpoch: epochs + spent,
    from: study.folderOf(best.place),
    epochs: finalEpochs,
  });
  const longer = await make(`${name}/longer-${tuningEpochs}`, {
    kind: 'tune',
    firstEpoch: epochs + unpruned.spent,
    from: study.folderOf(unpruned.place),
    epochs: tuningEpochs - unpruned.spent,
  });
  const folders = {
    base: study.folderOf(base.place),
    pruned: study.folderOf(pruned.place),
    longer: study.folderOf(longer.place),
  };
  return {
    base: base.record,
    steps,
    alongside,
    ending,
    pruned: pruned.record,
    longer: longer.record,
    tuningEpochs,
    folders,
  };
}
