import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { readConfigFile } from '../src/run/config-file.ts';
import { loadModel } from '../src/run/model-folder.ts';
import { PRESET_NAMES, PRESETS } from '../src/run/presets.ts';
import { resolveConfig } from '../src/run/resolve-config.ts';
import { drawImages } from './drawn-images.ts';
import { secateur } from './run-secateur.ts';
import { writeTinyCifar10 } from './tiny-cifar.ts';

const home = process.cwd();
let readme: string;
beforeAll(async () => {
  readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  process.chdir(await mkdtemp(join(tmpdir(), 'secateur-readme-')));
});
afterAll(() => process.chdir(home));

it('the steps of the README work one after the other', async () => {
  const data = await writeTinyCifar10();
  const block = /## Step by step[\s\S]*?```sh\n([\s\S]*?)```/.exec(readme)![1]!;
  const commands = block.trim().split('\n');
  expect(commands).toHaveLength(6);
  const outputs: string[] = [];
  for (const command of commands) {
    const [program, ...args] = command.split(' ');
    expect(program).toBe('secateur');
    const { code, stdout, stderr } = await secateur(...args, '--data', data, '--threads', '1');
    expect(code, `${command}\n${stderr}`).toBe(0);
    outputs.push(stdout);
  }
  const [, score, prune, , exported, evaluated] = outputs as [string, string, string, string, string, string];
  expect(score).toMatch(/^conv13 +64 +\|.{11}\| +\d+\.\d\d +\d+$/m);
  expect(prune).toMatch(/^158 filters removed/);
  expect(exported).toMatch(/agrees on 50 images: largest logit difference \d\.\de-\d+, same class on \d\d/);
  expect(evaluated).toMatch(/^all +\d+\.\d\d % +50$/m);

  const plan = JSON.parse(await readFile('runs/pruned/plan.json', 'utf8'));
  const again = await secateur(
    'prune',
    'runs/trained',
    '--plan',
    'runs/pruned/plan.json',
    '--out',
    'runs/again',
    '--threads',
    '1',
  );
  expect(again.code, again.stderr).toBe(0);
  expect(JSON.parse(await readFile('runs/again/plan.json', 'utf8'))).toEqual(plan);
  const weights = (path: string) => readFile(join(path, 'model', 'weights.bin'));
  expect((await weights('runs/again')).equals(await weights('runs/pruned'))).toBe(true);

  const accuracy = async (model: string) => {
    const { stdout } = await secateur('evaluate', model, '--data', data, '--json', '--threads', '1');
    return JSON.parse(stdout).accuracy;
  };
  // An image more or less: the engine and onnxruntime may break a tie differently.
  expect(Math.abs((await accuracy('small.onnx')) - (await accuracy('runs/tuned')))).toBeLessThanOrEqual(1 / 50);
  expect((await loadModel('runs/tuned')).countParams()).toBe((await loadModel('runs/pruned')).countParams());
});

it('the options that the README shows give what it says', async () => {
  const data = await writeTinyCifar10();
  const train = [
    'train',
    '--network',
    'vgg16',
    '--width',
    '0.125',
    '--epochs',
    '1',
    '--out',
    'runs/trained',
    '--force',
  ];
  expect((await secateur(...train, '--data', data, '--threads', '1')).code).toBe(0);
  const block = /## Say what you want[\s\S]*?```sh\n([\s\S]*?)```/.exec(readme)![1]!;
  const commands = block.trim().split('\n');
  expect(commands).toHaveLength(7);
  for (const command of commands) {
    const [, ...args] = command.split(' ');
    const { code, stdout, stderr } = await secateur(...args, '--data', data, '--threads', '1');
    // A goal of the preset may be missed on so few images.
    expect(args[0] === 'run' ? [0, 3] : [0], `${command}\n${stderr}`).toContain(code);
    if (args[0] === 'evaluate') expect(stdout).toMatch(/^cat +\S+ % +5$\n^dog +\S+ % +5$\n^all +\S+ % +10$/m);
  }
  const widths = async (path: string) =>
    (await loadModel(path)).layers
      .filter((layer) => layer.getClassName() === 'Conv2D')
      .map((layer) => layer.outputShape[3] as number);
  const [byNorm, specialist] = [await widths('runs/by-norm'), await loadModel('runs/specialist')];
  const before = await widths('runs/trained');
  const units = async (path: string) =>
    (await loadModel(path)).layers
      .filter((layer) => layer.getClassName() === 'Dense')
      .map((layer) => layer.outputShape[1] as number);
  const [[hidden, logits], [fewer, sameLogits]] = [await units('runs/trained'), await units('runs/with-dense')];
  expect([fewer! < hidden!, sameLogits]).toEqual([true, logits]);
  // A tenth of every layer, in whole blocks of 4.
  expect(byNorm).toEqual(before.map((width) => width - 4 * Math.ceil(Math.floor(0.1 * width) / 4)));
  expect(specialist.outputs[0]!.shape).toEqual([null, 2]);
  expect((await widths('runs/fewer-parameters')).every((width, i) => width === before[i] || width % 4 === 0)).toBe(
    true,
  );
  expect((await widths('runs/from-scratch'))[0]).toBe(before[0]);
});

it('the steps for images of your own work one after the other', async () => {
  vi.stubEnv('XDG_CACHE_HOME', join(process.cwd(), 'cache'));
  await drawImages('photos', { perClass: 12 });
  const block = /## Your own images[\s\S]*?```sh\n([\s\S]*?)```/.exec(readme)![1]!;
  const commands = block.trim().split('\n');
  expect(commands).toHaveLength(4);
  try {
    for (const command of commands) {
      const { code, stdout, stderr } = await secateur(...command.split(' ').slice(1), '--threads', '1');
      expect([0, 3], `${command}\n${stderr}`).toContain(code);
      if (command.includes('evaluate')) expect(stdout).toMatch(/^triangle +\S+ % +2$\n^all +\S+ % +6$/m);
    }
  } finally {
    vi.unstubAllEnvs();
  }
  expect((await loadModel('runs/mine')).inputs[0]!.shape).toEqual([null, 40, 40, 3]);
  const [json] = /## Your own images[\s\S]*?```json\n([\s\S]*?)```/.exec(readme)!.slice(1) as [string];
  await writeFile('own.config.json', json);
  const { data, patch } = await readConfigFile('own.config.json');
  expect(data).toBe(`folder:${join(process.cwd(), 'photos')}`);
  const config = resolveConfig(PRESETS.smoke, [{ origin: 'own.config.json', patch }]);
  expect(config).toMatchObject({ model: join(process.cwd(), 'my-network.onnx'), imageFolder: { fit: 'stretch' } });
});

it('the example in code runs, and goes on when it is run again', async () => {
  const data = await writeTinyCifar10();
  const block = /## From code[\s\S]*?```ts\n([\s\S]*?)```/.exec(readme)![1]!;
  const code = block
    .replace("'secateur'", "'../src/index.ts'")
    .replace("'cifar-10-batches-bin'", JSON.stringify(data))
    .replace('{ imagesPerClass: 5 }', '{ imagesPerClass: 5, batchSize: 50 }');
  const lines: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((line) => void lines.push(String(line)));
  const files = [1, 2].map((time) => new URL(`./readme-${time}.generated.ts`, import.meta.url));
  const random = vi.spyOn(Math, 'random').mockReturnValue(0);
  try {
    for (const file of files) {
      await writeFile(file, code);
      await import(/* @vite-ignore */ file.href);
    }
  } finally {
    log.mockRestore();
    random.mockRestore();
    for (const file of files) await rm(file, { force: true });
  }
  const epochs = lines.filter((line) => /^epoch \d: loss \d\.\d\d$/.test(line));
  // The second time, all that is left of the training is the mean of its last epoch.
  expect(epochs.map((line) => line.slice(0, 7))).toEqual(['epoch 1', 'epoch 2', 'epoch 3', 'epoch 3']);
  expect(epochs[3]).toBe(epochs[2]);
  expect(lines.filter((line) => /^after [\d.]+ s: accuracy [\d.]+$/.test(line)).length).toBeGreaterThanOrEqual(2);
  expect(await readFile('report.html', 'utf8')).toMatch(/^<!doctype html>/i);
});

it('the configurations work as they are', async () => {
  const [json] = /## Configuration[\s\S]*?```json\n([\s\S]*?)```/.exec(readme)!.slice(1) as [string];
  const [typescript] = /## Configuration[\s\S]*?```ts\n([\s\S]*?)```/.exec(readme)!.slice(1) as [string];
  await writeFile('readme.config.json', json);
  await writeFile('readme.config.ts', typescript);
  for (const name of ['readme.config.json', 'readme.config.ts']) {
    const { preset, patch } = await readConfigFile(name);
    expect(preset).toBe('smoke');
    expect(resolveConfig(PRESETS.smoke, [{ origin: name, patch }]).training.epochs).toBe(20);
  }
});

it('names every preset', () => {
  for (const name of PRESET_NAMES) expect(readme).toContain(`| \`${name}\` `);
});

it('names every command and every exit code', async () => {
  const { stdout } = await secateur('--help');
  const commands = [...stdout.matchAll(/^ {2}([a-z-]+) (?:\[|<)/gm)].map(([, command]) => command!);
  expect(commands.length).toBeGreaterThanOrEqual(8);
  for (const command of commands.filter((name) => name !== 'help')) expect(readme).toContain(`| \`${command}`);
  for (const code of ['0', '1', '2', '3', '75', '130', '143'])
    expect(readme).toMatch(new RegExp(`^\\| ${code} +\\|`, 'm'));
});
