import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { PRESETS } from '../run/presets.ts';
import { resolveConfig } from '../run/resolve-config.ts';
import type { RunConfig } from '../run/run-config.ts';
import { addConfigOptions, addPruningOptions, configPatch } from './options.ts';

const quickstart: RunConfig = { ...PRESETS.quickstart, criterion: { kind: 'relative', rho: 0.5 } };

/** The configuration of `secateur run` with these flags. */
function configOf(...flags: string[]): RunConfig {
  const command = addPruningOptions(addConfigOptions(new Command(), { trained: 'from scratch' })).exitOverride();
  command.configureOutput({ writeErr: () => undefined });
  const patch = configPatch(command.parse(flags, { from: 'user' }).opts(), quickstart, 'training');
  return resolveConfig(quickstart, [{ origin: 'command line', patch }]);
}

describe('options of run', () => {
  it('change nothing when there are none', () => {
    expect(configOf()).toEqual(quickstart);
  });

  it('say how to choose filters', () => {
    const flags =
      '--strategy both --threshold 0.4 --scope layer --max-fraction 0.2 --min-filters 3 --max-layer-fraction 0.3 --round-to 8';
    expect(configOf(...flags.split(' ')).selection).toEqual({
      strategy: 'both',
      threshold: 0.4,
      scope: 'layer',
      maxFraction: 0.2,
      minFilters: 3,
      maxLayerFraction: 0.3,
      roundTo: 8,
    });
    const { graph, ranking } = configOf(
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
  ])('%s sets the criterion', (flags, criterion) => {
    expect(configOf(...flags.split(' ')).criterion).toEqual(criterion);
  });

  it('say what keeps accuracy', () => {
    const flags = '--recalibrate 9 --teacher-weight 0.5 --temperature 2 --keep-momentum --rewind';
    const { keeping } = configOf(...flags.split(' '));
    expect(keeping).toEqual({
      recalibrateBatches: 9,
      teacherWeight: 0.5,
      temperature: 2,
      keepMomentum: true,
      rewind: true,
    });
  });

  it('refuse a setting of another criterion, and an unknown kind of layer', () => {
    expect(() => configOf('--quantile', '0.5')).toThrow('--quantile belongs to the criterion quantile, but');
    expect(() => configOf('--kinds', 'conv,dens')).toThrow(
      "Did you mean 'dense'? Choose from: conv, dense, attention.",
    );
  });
});
