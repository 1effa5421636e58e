import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { UsageError } from '../exit.ts';
import { findConfigFile, readConfigFile, type SecateurConfig } from './config-file.ts';
import { configFileSchema } from './config-schema.ts';
import { PRESETS } from './presets.ts';
import { resolveConfig } from './resolve-config.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'secateur-'));
});

async function write(name: string, content: string): Promise<string> {
  await writeFile(join(folder, name), content);
  return join(folder, name);
}

describe('readConfigFile', () => {
  it('reads JSON and TypeScript, with a preset and a schema for editors', async () => {
    const patch = { seed: 7, training: { epochs: 3 } };
    const json = await write(
      'secateur.config.json',
      JSON.stringify({ $schema: './schema.json', preset: 'smoke', ...patch }),
    );
    expect(await readConfigFile(json)).toEqual({ path: json, preset: 'smoke', patch });
    const typescript = await write(
      'secateur.config.ts',
      `interface Config { readonly seed: number; readonly training: { readonly epochs: number } }
       const epochs: number = [1, 2].reduce((a, b) => a + b);
       export default { seed: 7, training: { epochs } } satisfies Config;`,
    );
    expect(await readConfigFile(typescript)).toEqual({ path: typescript, preset: undefined, patch });
  });

  it.each([
    ['a.json', '[1]', /must hold one JSON object/],
    ['a.json', '{ "seed": ', /is not JSON/],
    [
      'a.json',
      '{ "preset": "smoek" }',
      /There is no preset 'smoek'\. Did you mean 'smoke'\? Choose from: quickstart, /,
    ],
    ['a.ts', 'export const seed = 1;', /must hold one JSON object, or export one as its default/],
    ['a.ts', 'export default {', /cannot be read: /],
    ['a.ts', "throw new Error('no epochs today')", /cannot be read: no epochs today\.$/],
  ])('refuses %s with %s', async (name, content, message) => {
    const reading = readConfigFile(await write(name, content));
    await expect(reading).rejects.toThrow(message);
    await expect(reading).rejects.toThrow(UsageError);
  });

  it.each(['a.json', 'a.ts'])('names a missing %s', async (name) => {
    await expect(readConfigFile(join(folder, name))).rejects.toThrow(/a\.\w+' cannot be read: /);
  });

  it('finds a file by its name, JSON before TypeScript', async () => {
    expect(findConfigFile(folder)).toBeUndefined();
    const typescript = await write('secateur.config.ts', '');
    expect(findConfigFile(folder)).toBe(typescript);
    const json = await write('secateur.config.json', '{}');
    expect(findConfigFile(folder)).toBe(json);
  });
});

it('has a type in which everything may be left out', () => {
  const config: SecateurConfig = { preset: 'smoke', selection: { maxFraction: 0.2 }, classes: ['cat', 'dog'] };
  expect(resolveConfig(PRESETS.smoke, [{ origin: 'x', patch: { selection: config.selection } }]).selection).toEqual({
    ...PRESETS.smoke.selection,
    maxFraction: 0.2,
  });
});

describe('the schema for editors', () => {
  it('is the one in the package; write it anew with: pnpm schema', async () => {
    const file = await readFile(new URL('../../secateur.config.schema.json', import.meta.url), 'utf8');
    expect(JSON.parse(file)).toEqual(configFileSchema());
  });

  it('knows every key of the presets, describes some, and allows no other', () => {
    type Part = { readonly properties?: Readonly<Record<string, Part>>; readonly additionalProperties?: unknown };
    const keysOf = (value: object): string[] =>
      Object.entries(value).flatMap(([key, part]) => [
        key,
        ...(typeof part === 'object' && part !== null && !Array.isArray(part) && !('kind' in part)
          ? keysOf(part).map((below) => `${key}.${below}`)
          : []),
      ]);
    const schema = configFileSchema() as Part;
    const find = (path: string) =>
      path.split('.').reduce<Part | undefined>((part, key) => part?.properties?.[key], schema);
    for (const key of keysOf(PRESETS.quickstart)) expect(find(key), key).toBeDefined();
    expect(find('target')!.properties).toHaveProperty('atMost');
    expect(find('width')).toMatchObject({ type: 'number', description: "Factor on the network's widths." });
    expect([schema, find('training')!, find('goals')!].map((part) => part.additionalProperties)).toEqual([
      false,
      false,
      false,
    ]);
    expect(JSON.stringify(schema)).not.toContain('"required"');
  });
});

it.each(['paper/vgg16-cifar10', 'paper/vgg19-cifar100', 'paper/resnet56-cifar10', 'paper/resnet56-cifar100'] as const)(
  'has the published settings in %s',
  (name) => {
    const [, network] = /paper\/(\w+)-/.exec(name)!;
    expect(PRESETS[name]).toMatchObject({
      network,
      width: 1,
      batchSize: 256,
      imagesPerClass: 10,
      augment: { flip: true, cropPadding: 4 },
      objective: { l1: 1e-4, l1Over: 'all', orthogonality: 1e-2, orthogonalityForm: 'convolution' },
      criterion: { kind: 'reference', tau: 0 },
      selection: { strategy: 'both', threshold: 0.3, maxFraction: 0.1 },
      training: { momentum: 0.9, weightDecay: 5e-4 },
    });
  },
);

it.each(['cpu/vgg16-cifar10', 'cpu/resnet56-cifar10'] as const)(
  'trains a network of full size in bfloat16 in %s',
  (name) => {
    const [, network] = /cpu\/(\w+)-/.exec(name)!;
    const { target, goals, ...preset } = PRESETS[name];
    expect(preset).toMatchObject({
      network,
      width: 1,
      precision: 'bfloat16',
      trainingImages: null,
      criterion: { kind: 'graded' },
    });
    expect(target.removed).toBeGreaterThanOrEqual(goals.macsRemoved!);
  },
);
