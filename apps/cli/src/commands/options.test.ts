import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { PRESETS } from '../run/presets.ts';
import { addConfigOptions, addPruningOptions } from './options.ts';
import { readConfig } from './read-config.ts';

/** The configuration of `secateur run` with these flags. */
function configOf(...flags: string[]) {
  const command = addPruningOptions(addConfigOptions(new Command(), { trained: 'from scratch' })).exitOverride();
  command.configureOutput({ writeErr: () => undefined });
  return readConfig(command.parse(flags, { from: 'user' }).opts(), 'training');
}

const { quickstart } = PRESETS;

describe('options of run', () => {
  it('change nothing when there are none', async () => {
    expect(await configOf()).toEqual(quickstart);
  });

  it('say how to choose filters', async () => {
    const flags =
      '--strategy both --threshold 0.4 --scope layer --max-fraction 0.2 --min-filters 3 --max-layer-fraction 0.3 --round-to 8';
    expect((await configOf(...flags.split(' '))).selection).toEqual({
      strategy: 'both',
      threshold: 0.4,
      scope: 'layer',
      maxFraction: 0.2,
      minFilters: 3,
      maxLayerFraction: 0.3,
      roundTo: 8,
    });
    const { graph, ranking } = await configOf(
      ...'--kinds conv,dense --coupled --leave-alone conv1,block*'.split(' '),
      ...'--combine max --normalise layer-mean'.split(' '),
    );
    expect(graph).toEqual({ kinds: ['conv', 'dense'], coupled: 'together', ignore: ['conv1', 'block*'] });
    expect(ranking).toEqual({ combine: 'max', normalise: 'layer mean' });
  });

  it.each([
    ['--rho 0.25', { ...quickstart.criterion, rho: 0.25 }],
    ['--criterion relative', quickstart.criterion],
    ['--criterion graded --rho 2', { kind: 'graded', rho: 2 }],
    ['--criterion reference', { kind: 'reference', tau: 0 }],
    ['--criterion quantile --quantile 0.9', { kind: 'quantile', quantile: 0.9 }],
    ['--criterion taylor', { kind: 'taylor' }],
  ])('%s sets the criterion', async (flags, criterion) => {
    expect((await configOf(...flags.split(' '))).criterion).toEqual(criterion);
  });

  it('say what keeps accuracy', async () => {
    const flags = '--recalibrate 9 --teacher-weight 0.5 --temperature 2 --keep-momentum --rewind';
    const { keeping } = await configOf(...flags.split(' '));
    expect(keeping).toEqual({
      recalibrateBatches: 9,
      teacherWeight: 0.5,
      temperature: 2,
      keepMomentum: true,
      rewind: true,
    });
  });

  it('refuse a setting of another criterion, and an unknown kind of layer', async () => {
    await expect(configOf('--tau', '0')).rejects.toThrow('--tau belongs to the criterion reference, but');
    expect(() => configOf('--kinds', 'conv,dens')).toThrow(
      "Did you mean 'dense'? Choose from: conv, dense, attention.",
    );
  });
});
