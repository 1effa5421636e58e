import { expect, it } from 'vitest';
import { type PruningProtocol, pruneInSteps } from './prune-in-steps.ts';
import type { NetworkRecord, NetworkTask, Recipe, Removal } from './recipe.ts';

const RECIPE: Recipe = { network: 'vgg11', width: 1, seed: 0, l1: 0, orthogonality: 0 };
const PROTOCOL: PruningProtocol = {
  epochs: 10,
  fineTuneEpochs: 2,
  finalTuneEpochs: 3,
  iterations: 4,
  fillUp: false,
  removal: {} as Removal,
};

/** Validation accuracies by the piece's name; each removal takes a tenth of the MACs. */
async function run(validation: Readonly<Record<string, number>>, protocol: PruningProtocol) {
  const trained = new Map<string, number>();
  const macs = new Map<string, number>();
  const study = {
    folderOf: (name: string) => name,
    async measure<Result>(name: string, _worker: string, task: object): Promise<Result> {
      const work = task as Exclude<NetworkTask, { kind: 'score' }>;
      const from = work.kind === 'train' ? undefined : work.from;
      expect(work.firstEpoch ?? 0, name).toBe(from ? trained.get(from) : 0);
      trained.set(name, (work.firstEpoch ?? 0) + work.epochs);
      macs.set(name, (from ? macs.get(from)! : 100) - (work.kind === 'remove' ? 10 : 0));
      const record: NetworkRecord = {
        validation: validation[name] ?? 0.8,
        test: 0,
        worstClass: 0,
        macs: macs.get(name)!,
        parameters: 1,
        filters: [],
        epochs: work.epochs,
        removed: work.kind === 'remove' ? 1 : 0,
      };
      return record as Result;
    },
  };
  const pruned = await pruneInSteps(study, { name: 'net', pruning: 'pruned', recipe: RECIPE, protocol });
  return { ...pruned, trained };
}

it('compares each step with the unpruned network that was trained for as long, and goes back to the last within the tolerance', async () => {
  const validation = { 'net/pruned/step-3': 0.81, 'net/unpruned/step-3': 0.83 };
  const { ending, steps, alongside, pruned, tuningEpochs, trained, folders } = await run(validation, {
    ...PROTOCOL,
    tolerance: 0.01,
  });
  expect([ending, steps.length, alongside.length]).toEqual(['tolerance exceeded', 3, 3]);
  expect([pruned.macs, tuningEpochs]).toEqual([80, 7]);
  expect([trained.get(folders.pruned), trained.get(folders.longer)]).toEqual([17, 17]);
});

it('trains the unpruned network for as long in one piece where there is no tolerance', async () => {
  const { ending, alongside, pruned, longer, trained, folders } = await run({ 'net/pruned/step-1': 0 }, PROTOCOL);
  expect([ending, alongside.length, pruned.macs, longer.epochs]).toEqual(['iterations', 0, 60, 11]);
  expect([trained.get(folders.pruned), trained.get(folders.longer)]).toEqual([21, 21]);
});

it('fills up epochs of removals that did not come', async () => {
  const { ending, pruned, trained, folders } = await run({}, { ...PROTOCOL, target: 0.15, fillUp: true });
  expect([ending, pruned.macs]).toEqual(['target reached', 80]);
  expect([trained.get(folders.pruned), trained.get(folders.longer)]).toEqual([21, 21]);
});
