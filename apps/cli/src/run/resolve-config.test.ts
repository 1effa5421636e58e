import { describe, expect, it } from 'vitest';
import { UsageError } from '../exit.ts';
import { PRESETS } from './presets.ts';
import { type ConfigPatch, resolveConfig } from './resolve-config.ts';
import { runConfigSchema } from './run-config.ts';

const base = PRESETS.quickstart;
const resolve = (...patches: ConfigPatch[]) =>
  resolveConfig(
    base,
    patches.map((patch) => ({ origin: 'my.json', patch })),
  );

describe('resolveConfig', () => {
  it.each(Object.entries(PRESETS))('accepts the preset %s as it is', (_name, preset) => {
    expect(runConfigSchema.parse(preset)).toEqual(preset);
  });

  it('merges to any depth, later patches winning, and undefined changes nothing', () => {
    const config = resolve({ training: { epochs: 9 }, seed: 1 }, { seed: 2, width: undefined });
    expect(config).toEqual({ ...base, seed: 2, training: { ...base.training, epochs: 9 } });
  });

  it('merges a target of another kind, as all have the same fields', () => {
    expect(resolve({ target: { kind: 'latency' } }).target).toEqual({ ...base.target, kind: 'latency' });
    const absolute = { kind: 'params', removed: null, atMost: 5e5 };
    expect(resolve({ target: absolute }).target).toEqual({ ...absolute, batchSize: 1 });
  });

  it('replaces a schedule or criterion of another kind whole', () => {
    const { criterion, training } = resolve({
      criterion: { kind: 'reference', tau: 1e-5 },
      training: { schedule: { kind: 'constant', rate: 0.1 } },
    });
    expect(criterion).toEqual({ kind: 'reference', tau: 1e-5 });
    expect(training).toEqual({ ...base.training, schedule: { kind: 'constant', rate: 0.1 } });
  });

  it('names an unknown key with its path, and the closest one', () => {
    expect(() => resolve({ training: { epoch: 3 } })).toThrow(
      /^my\.json: Unknown key 'training\.epoch'\. Did you mean 'epochs'\? Known here: epochs, schedule,/,
    );
    expect(() => resolve({ widht: 1 })).toThrow(/Unknown key 'widht'\. Did you mean 'width'\?/);
  });

  it.each([
    [{ width: 0 }, 'width'],
    [{ network: 'vgg17' }, 'network'],
    [{ selection: { maxFraction: 2 } }, 'selection.maxFraction'],
    [{ training: { epochs: 1.5 } }, 'training.epochs'],
    [{ training: 3 }, 'training'],
    [{ seed: -1 }, 'seed'],
    [{ keeping: { rewind: true }, finalTune: { epochs: 16 } }, 'keeping.rewind'],
    [{ target: { atMost: 5 } }, 'target'],
    [{ target: { removed: null } }, 'target'],
    [{ classes: ['cat'] }, 'classes'],
    [
      { criterion: { kind: 'apoz' }, ranking: { normalise: 'none' }, selection: { strategy: 'both' } },
      'selection.strategy',
    ],
  ])('rejects %o as a mistake of usage', (patch, path) => {
    expect(() => resolve(patch)).toThrow(UsageError);
    expect(() => resolve(patch)).toThrow(`my.json: ${path}: `);
  });
});
