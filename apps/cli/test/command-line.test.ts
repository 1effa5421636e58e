import { mkdtemp, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, it } from 'vitest';
import { saveModel } from '../src/run/model-folder.ts';
import { secateur } from './run-secateur.ts';
import { writeTinyCifar10 } from './tiny-cifar.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'secateur-'));
});

describe('mistakes on the command line end with 2 and one line', () => {
  it.each([
    [['rum'], "error: unknown command 'rum' (Did you mean run?)"],
    [['run', '--presett', 'smoke'], "error: unknown option '--presett' (Did you mean --preset?)"],
    [
      ['run', '--preset', 'smoek'],
      /argument 'smoek' is invalid\. Did you mean 'smoke'\? Choose from: quickstart, smoke, cpu\/vgg16-cifar10, cpu\/resnet56-cifar10, paper\/vgg16-cifar10, /,
    ],
    [
      ['run', '--preset', 'paper/vgg19-cifar100'],
      /is for CIFAR-100: name the folder of its binary files, such as --data/,
    ],
    [
      ['run', '--resume', 'x', '--epochs', '3'],
      'error: A run goes on with its own configuration: leave out --epochs, or start another run without --resume.',
    ],
    [['run', '--network', 'resnet55'], /Did you mean 'resnet\d+'\? Choose from: vgg11, vgg16, vgg19, resnet20,/],
    [['run', '--epochs', '0'], /argument '0' is invalid\. It must be a whole number of at least 1\.$/],
    [['run', '--width', 'wide'], /argument 'wide' is invalid\. It must be a number\.$/],
    [['run', '--target', '2'], /^error: command line: target\.removed: .*<=1/],
    [['run', '--config', 'missing.json'], /^error: The configuration 'missing\.json' cannot be read: ENOENT/],
    [['prune', 'x', '--plan', 'a', '--scores', 'b'], /^error: --plan and --scores exclude each other/],
    [['run', '--target', '0.5', '--target-at-most', '9'], /^error: --target and --target-at-most exclude each other/],
    [['run', '--classes', 'cat'], /^error: command line: classes: /],
    [['run', '--classes', 'cat,,dog'], /argument 'cat,,dog' is invalid\. It must be names with commas between them\.$/],
    [['run', '--criterion', 'l1'], /Choose from: reference, quantile, relative, graded, taylor, /],
    [['score', 'x', '--criterion', 'graded', '--tau', '0'], /^error: --tau belongs to the criterion reference, but/],
    [['score'], "error: missing required argument 'model'"],
    [
      ['run', '--engine', 'cpu', '--threads', '2'],
      /--threads sets the threads of the engine 'torch', but 'cpu' would run/,
    ],
  ])('%j', async (args, message) => {
    const { code, stdout, stderr } = await secateur(...args);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr.trim()).toEqual(message instanceof RegExp ? expect.stringMatching(message) : message);
  });

  it('names an unknown key of a configuration', async () => {
    const file = join(folder, 'config.json');
    await writeFile(file, JSON.stringify({ finetune: { epochs: 1 } }));
    const { code, stderr } = await secateur('run', '--config', file);
    expect(code).toBe(2);
    expect(stderr).toContain("Unknown key 'finetune'. Did you mean 'fineTune'?");
  });
});

describe('other mistakes end with 1, one line and no stack', () => {
  const lastLine = (text: string) => text.trim().split('\n').at(-1);

  it('a run directory that cannot be written', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    const { code, stderr } = await secateur('run', '--preset', 'smoke', '--out', join(file, 'run'));
    expect(code).toBe(1);
    expect(lastLine(stderr)).toMatch(
      /^error: The run directory '.*' cannot be written \(ENOTDIR.*Choose another one with --out\.$/,
    );
  });

  it('a folder of no known format, and a file of it that is cut short', async () => {
    const out = join(folder, 'run');
    const run = (data: string) => secateur('run', '--preset', 'smoke', '--data', data, '--out', out, '--force');
    const empty = await run(folder);
    expect(empty.code).toBe(2);
    expect(lastLine(empty.stderr)).toMatch(/holds no images in a known format\. Expected the unpacked binary version/);
    const data = await writeTinyCifar10({ perFile: 1 });
    await truncate(join(data, 'data_batch_3.bin'), 5000);
    const cut = await run(data);
    expect(cut.code).toBe(1);
    expect(lastLine(cut.stderr)).toMatch(
      /data_batch_3\.bin: expected a whole number of records of 3073 bytes, got 5000/,
    );
  });

  it('a model that is not there', async () => {
    const { code, stderr } = await secateur('evaluate', join(folder, 'nowhere'));
    expect(code).toBe(1);
    expect(lastLine(stderr)).toMatch(/^error: '.*nowhere' holds no model: expected a folder with model\.json/);
  });

  it('a model with a layer that ONNX export does not know, and the same with its stack', async () => {
    const model = sequential({
      layers: [
        layers.conv2d({ name: 'first', inputShape: [8, 8, 3], filters: 2, kernelSize: 3 }),
        layers.masking({ name: 'masked' }),
        layers.globalAveragePooling2d({ name: 'pool' }),
      ],
    });
    await saveModel(model, join(folder, 'unsupported'));
    const command = ['export', join(folder, 'unsupported'), '--out', join(folder, 'x.onnx')];
    const { code, stderr } = await secateur(...command);
    expect(code).toBe(1);
    expect(lastLine(stderr)).toMatch(/^error: .*masked.*Masking|^error: .*Masking.*masked/);
    expect((await secateur(...command, '--debug')).stderr).toMatch(/\n\s+at /);
  });

  it('preprocessing for a model that does not say how, and an operator set that is unknown', async () => {
    const model = sequential({
      layers: [layers.flatten({ inputShape: [2, 2, 3] }), layers.dense({ units: 2 })],
    });
    await saveModel(model, join(folder, 'foreign'));
    const command = ['export', join(folder, 'foreign'), '--out', join(folder, 'x.onnx'), '--no-verify'];
    const preprocessed = await secateur(...command, '--preprocess');
    expect(preprocessed.code).toBe(2);
    expect(preprocessed.stderr).toContain('--preprocess needs the mean and standard deviation of the images');
    const { code, stderr } = await secateur(...command, '--opset', '9');
    expect(code).toBe(1);
    expect(lastLine(stderr)).toMatch(/Expected opset to be a whole number from 17 to 26, but got 9/);
  });
});

it('prunes a network that PyTorch wrote to ONNX, and writes it to ONNX again', async () => {
  const file = fileURLToPath(new URL('../../../packages/export/test/fixtures/resnet20.onnx', import.meta.url));
  const [out, onnx] = [join(folder, 'from-elsewhere'), join(folder, 'smaller.onnx')];
  const choice = ['--criterion', 'l1-norm', '--strategy', 'percentage', '--max-fraction', '0.2'];
  const pruned = await secateur('prune', file, ...choice, '--engine', 'cpu', '--out', out, '--json');
  expect(pruned).toMatchObject({ code: 0 });
  const { before, after } = JSON.parse(pruned.stdout);
  expect(after.macs).toBeLessThan(before.macs);
  const scores = join(folder, 'scores.json');
  expect(await secateur('score', file, '--criterion', 'l1-norm', '--engine', 'cpu', '--out', scores)).toMatchObject({
    code: 0,
  });
  const keep = ['--no-fold', '--engine', 'cpu', '--images', '2', '--json'];
  const written = await secateur('export', out, '--out', onnx, ...keep);
  expect(JSON.parse(written.stdout).verification.passed).toBe(true);
  // And back from what was written.
  const again = await secateur('prune', onnx, ...choice, '--engine', 'cpu', '--out', join(folder, 'again'), '--json');
  expect(JSON.parse(again.stdout).before).toEqual(after);
});

it('shows examples in the help of every command', async () => {
  const help = (await secateur('--help')).stdout;
  expect(help).toContain('130  interrupted (Ctrl-C)');
  for (const command of ['run', 'train', 'score', 'prune', 'finetune', 'export', 'evaluate', 'doctor', 'completion']) {
    expect(help).toMatch(new RegExp(`^ {2}${command} `, 'm'));
    const { code, stdout } = await secateur(command, '--help');
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`Examples?:\\n {2}secateur ${command}`));
  }
});

it('doctor tells what it runs on', async () => {
  const { code, stdout } = await secateur('doctor', '--json');
  const diagnosis = JSON.parse(stdout);
  expect(code).toBe(diagnosis.usable ? 0 : 1);
  expect(diagnosis.versions).toMatchObject({ node: process.version, tfjs: '4.22.0' });
  expect(diagnosis.missing.every(({ remedy }: { remedy: string }) => remedy.length > 0)).toBe(true);
  const tfjsNode = diagnosis.versions['tfjs-node'];
  const { stdout: text } = await secateur('doctor');
  expect(text).toContain(diagnosis.engine.description);
  expect(text).toContain(tfjsNode ? `tfjs-node ${tfjsNode} is installed` : 'tfjs-node is not installed');
});
