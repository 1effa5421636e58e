import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { keepingOptions } from './keeping.ts';
import { PRESETS } from './presets.ts';
import { type ConfigPatch, resolveConfig } from './resolve-config.ts';

const resolve = (patch: ConfigPatch) => resolveConfig(PRESETS.quickstart, [{ origin: 'my.json', patch }]);

describe('keepingOptions', () => {
  it('is nothing where the configuration asks for nothing', () => {
    expect(keepingOptions(resolve({ keeping: { temperature: 2 } }))).toEqual({ keepMomentum: false });
  });

  it('says all that the configuration asks for', () => {
    const keeping = { recalibrateBatches: 50, teacherWeight: 0.7, keepMomentum: true, rewind: true };
    expect(keepingOptions(resolve({ keeping, training: { epochs: 20 } }))).toEqual({
      recalibrate: { batches: 50 },
      distillation: { temperature: 4, weight: 0.7 },
      keepMomentum: true,
      rewind: { schedule: PRESETS.quickstart.training.schedule, epochs: 20 },
    });
  });

  it("takes the README's example, which names every key", async () => {
    const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
    const [, example] = /```json\n(\{\n {2}"keeping"[\s\S]*?)```/.exec(readme)!;
    const config = resolve(JSON.parse(example!));
    expect(Object.keys(JSON.parse(example!).keeping)).toEqual(Object.keys(config.keeping));
    expect(Object.keys(keepingOptions(config)).sort()).toEqual([
      'distillation',
      'keepMomentum',
      'recalibrate',
      'rewind',
    ]);
  });
});
