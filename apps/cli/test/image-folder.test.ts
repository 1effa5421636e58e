import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readImageFolder } from '@secateur/data';
import { readOnnxMetadata } from '@secateur/export';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runCli } from '../src/cli.ts';
import { attachTrainingData, loadModel, saveModel, trainingDataOf } from '../src/run/model-folder.ts';
import type { Summary } from '../src/run/summary.ts';
import { drawImages } from './drawn-images.ts';
import { readEvents } from './read-events.ts';
import { type Outcome, secateur } from './run-secateur.ts';

const ODD = '<i>odd & "round"';

let folder: string;
let photos: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'secateur-folder-'));
  vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'));
  photos = join(folder, 'photos');
  await drawImages(photos, { perClass: 30, names: { circle: ODD } });
  await writeFile(join(photos, 'square', 'broken.jpg'), 'no image');
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

const TINY = {
  width: 0.0625,
  validationFraction: 0.2,
  imagesPerClass: 5,
  batchSize: 16,
  training: { epochs: 6 },
  fineTune: { epochs: 1 },
  finalTune: { epochs: 1 },
  selection: { maxFraction: 0.2 },
  tolerance: 1,
  target: { removed: 0.2 },
  maxIterations: 1,
  goals: { macsRemoved: null },
};

/** A configuration, images and the flags of a run. */
async function prepare(name: string, config: object, ...flags: string[]): Promise<{ out: string; args: string[] }> {
  const [out, file] = [join(folder, name), join(folder, `${name}.json`)];
  await writeFile(file, JSON.stringify(config));
  const fixed = ['run', '--preset', 'smoke', '--config', file, '--out', out, '--threads', '1', '--json'];
  return { out, args: [...fixed, ...flags] };
}

async function run(
  name: string,
  config: object,
  ...flags: string[]
): Promise<Outcome & { out: string; summary: Summary }> {
  const { out, args } = await prepare(name, config, ...flags);
  const outcome = await secateur(...args);
  expect(outcome.code, outcome.stderr).toBe(0);
  return { ...outcome, out, summary: JSON.parse(outcome.stdout) };
}

const evaluate = async (model: string, ...flags: string[]) => {
  const { code, stdout, stderr } = await secateur('evaluate', model, '--threads', '1', '--json', ...flags);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
};

const weightsOf = (path: string) => readFile(join(path, 'weights.bin'));
const phasesOf = async (out: string) => new Set((await readEvents(out)).map(({ phase }) => phase));

describe('a run on a folder of images', () => {
  let first: Awaited<ReturnType<typeof run>>;
  beforeAll(async () => {
    const flags = ['--image-size', '40x36', '--image-fit', 'stretch', '--test-fraction', '0.3', '--split-seed', '5'];
    first = await run('first', TINY, '--data', `folder:${photos}`, ...flags);
  });

  it('learns them, and says which files are no images', () => {
    const { data, unpruned, pruned, goals } = first.summary;
    expect(data).toEqual({
      name: 'photos',
      images: { training: 51, validation: 12, scoring: 15, test: 27 },
      skipped: [{ file: 'square/broken.jpg', reason: 'it is no JPEG, PNG or WebP' }],
    });
    expect(first.stderr).toContain('skipped square/broken.jpg: it is no JPEG, PNG or WebP.');
    expect(pruned.test.classes.map(({ className, images }) => [className, images])).toEqual([
      [ODD, 9],
      ['square', 9],
      ['triangle', 9],
    ]);
    expect(unpruned.test.accuracy).toBeGreaterThan(0.5);
    expect(pruned.macs).toBeLessThan(unpruned.macs);
    // Those of CIFAR-10 do not hold for other images.
    expect(goals.map(({ name }) => name).join()).not.toMatch(/minutes|unpruned/);
  });

  it('keeps how images were read in the network, the run and the ONNX file', async () => {
    const folderForm = { fit: 'stretch', testFraction: 0.3, splitSeed: 5 };
    const { mean, std, ...rest } = trainingDataOf(await loadModel(first.out))!;
    expect(rest).toEqual({ classNames: [ODD, 'square', 'triangle'], folderForm });
    const { data } = JSON.parse(await readFile(join(first.out, 'config.json'), 'utf8'));
    expect(data).toBe(`folder:${photos}`);
    const metadata = readOnnxMetadata(await readFile(join(first.out, 'model.onnx')));
    expect(metadata).toMatchObject({ mean, std, input: { dims: ['batch', 3, 36, 40] } });
    expect(JSON.parse(metadata.properties.secateur!).folderForm).toEqual(folderForm);
  });

  it('has evaluate find the same test images by itself, for the network and the ONNX file', async () => {
    const { accuracy, confusion } = first.summary.pruned.test;
    for (const model of [first.out, join(first.out, 'model.onnx')]) {
      const found = await evaluate(model, '--data', `folder:${photos}`);
      expect(found).toMatchObject({ images: 27, accuracy, confusion });
    }
  });

  it('exports a file that takes the pixels themselves, and finds the same classes', async () => {
    const file = join(folder, 'pixels.onnx');
    const exported = await secateur('export', first.out, '--preprocess', '--out', file, '--data', `folder:${photos}`);
    expect(exported.code, exported.stderr).toBe(0);
    const options = { size: [36, 40], fit: 'stretch', testFraction: 0.3, seed: 5, cacheDir: false } as const;
    const { test } = await readImageFolder(photos, options);
    const session = await InferenceSession.create(file);
    const pixels = new Tensor('uint8', Uint8Array.from(test.images), [27, 36, 40, 3]);
    const probabilities = (await session.run({ [session.inputNames[0]!]: pixels }))[session.outputNames[0]!]!.data;
    const confusion = test.classNames.map(() => test.classNames.map(() => 0));
    test.labels.forEach((label, image) => {
      const row = [...(probabilities as Float32Array)].slice(3 * image, 3 * image + 3);
      confusion[label]![row.indexOf(Math.max(...row))]! += 1;
    });
    expect(confusion).toEqual(first.summary.pruned.test.confusion);
    await session.release();
  });

  it('shows class names in the report as text', async () => {
    const page = await readFile(join(first.out, 'report.html'), 'utf8');
    expect(page).not.toContain('<i>odd');
    expect(page).toContain('odd');
  });

  it.each([
    ['a LayersModel', 'checkpoints/unpruned'],
    ['an ONNX file', 'unpruned.onnx'],
  ])('prunes %s as it is, without training it first', async (what, path) => {
    const name = what.replaceAll(' ', '-');
    const given = await run(name, TINY, '--data', `folder:${photos}`, '--model', join(first.out, path));
    expect(await phasesOf(given.out)).toEqual(new Set([undefined, 'final-tune']));
    expect(given.summary.unpruned.test.confusion).toEqual(first.summary.unpruned.test.confusion);
    expect(given.summary.pruned.macs).toBeLessThan(first.summary.unpruned.macs);
    expect(given.summary.verification.passed).toBe(true);
    if (path === 'checkpoints/unpruned') {
      const [before, after] = [join(first.out, path), join(given.out, path)];
      expect((await weightsOf(after)).equals(await weightsOf(before))).toBe(true);
    }
    expect(await readFile(join(given.out, 'report.html'), 'utf8')).toContain(path.split('/').at(-1));
  });

  it('serves the other commands, which read the images as the network was trained', async () => {
    const data = ['--data', `folder:${photos}`, '--threads', '1', '--json'];
    const does = async (...args: string[]) => {
      const { code, stdout, stderr } = await secateur(...args, ...data);
      expect(code, stderr).toBe(0);
      return JSON.parse(stdout);
    };
    const scores = await does('score', first.out, '--images-per-class', '5', '--out', join(folder, 'scores.json'));
    expect(scores.classNames).toEqual([ODD, 'square', 'triangle']);
    const [pruned, tuned] = [join(folder, 'pruned'), join(folder, 'tuned')];
    const choose = ['--images-per-class', '5', '--strategy', 'percentage', '--out', pruned];
    expect((await does('prune', first.out, ...choose)).removed).toBeGreaterThan(0);
    const summary = await does('finetune', pruned, '--epochs', '1', '--batch-size', '16', '--out', tuned);
    expect(summary.test.images).toBe(27);
    expect(trainingDataOf(await loadModel(tuned))).toEqual(trainingDataOf(await loadModel(first.out)));
    expect(await does('evaluate', tuned)).toMatchObject({ images: 27, accuracy: summary.test.accuracy });
    const int8 = join(folder, 'int8.onnx');
    const exported = await does('export', tuned, '--precision', 'int8', '--calibration-images', '20', '--out', int8);
    expect(exported.verification.passed).toBe(true);
    expect(JSON.parse(readOnnxMetadata(await readFile(int8)).properties.secateur!).folderForm).toMatchObject({
      fit: 'stretch',
    });
  });

  it('goes on with the network that it was given, whatever has become of its file', async () => {
    const model = join(folder, 'mine.onnx');
    await writeFile(model, await readFile(join(first.out, 'unpruned.onnx')));
    const flags = ['--data', `folder:${photos}`, '--model', model];
    const { args, out } = await prepare('stopped', TINY, ...flags);
    const controller = new AbortController();
    const watching = {
      write: (text: string) => {
        if (text.includes('Prune 1')) controller.abort();
      },
    };
    const silent = { write: () => undefined };
    const code = await runCli(args, { stdout: silent, stderr: watching, env: {}, signal: controller.signal });
    expect(code).toBe(75);
    // Another path would be another configuration: the whole run comes second, from where the first was.
    const whole = await run('unstopped', TINY, ...flags);
    await rename(model, `${model}.gone`);
    const resumed = await secateur('run', '--resume', out, '--threads', '1', '--quiet');
    expect(resumed.code, resumed.stderr).toBe(0);
    expect((await weightsOf(join(out, 'model'))).equals(await weightsOf(join(whole.out, 'model')))).toBe(true);
  });

  it('refuses a network of other images or classes', async () => {
    const model = join(first.out, 'model.onnx');
    const refuse = async (data: string, ...flags: string[]) => {
      const { args } = await prepare('refused', TINY, '--force', '--data', data, '--model', model, ...flags);
      const { code, stderr } = await secateur(...args);
      expect([code, stderr.split('\n').filter((line) => line.startsWith('error: '))]).toEqual([
        1,
        [expect.any(String)],
      ]);
      return stderr;
    };
    expect(await refuse(`folder:${photos}`, '--image-size', '32')).toMatch(
      /The model takes images of 36 x 40 x 3 and knows 3 classes, but photos has images of 32 x 32 x 3 and 3 classes\..*leave out --image-size/,
    );
    const renamed = join(folder, 'renamed');
    await drawImages(renamed, { perClass: 6 });
    expect(await refuse(`folder:${renamed}`)).toMatch(/The model knows the classes .*, but renamed has 'circle'/);
    await drawImages(join(folder, 'more'), { perClass: 6, names: { circle: ODD } });
    await drawImages(join(folder, 'more'), { perClass: 6 });
    // The classes that it does not know are left out, as for a specialist.
    const data = ['--data', `folder:${join(folder, 'more')}`];
    expect(await evaluate(first.out, ...data)).toMatchObject({ classes: [{ className: ODD }, {}, {}] });
  });
});

it('takes the split of the folder, and a network of grey images that knows nothing of its training', async () => {
  const data = join(folder, 'split');
  for (const [part, perClass] of Object.entries({ train: 10, val: 4, test: 3 })) {
    await drawImages(join(data, part), { perClass });
  }
  const model = sequential({
    layers: [
      layers.conv2d({ inputShape: [24, 20, 1], filters: 8, kernelSize: 3, activation: 'relu' }),
      layers.conv2d({ filters: 8, kernelSize: 3, activation: 'relu' }),
      layers.globalAveragePooling2d({}),
      layers.dense({ units: 3, activation: 'softmax' }),
    ],
  });
  await saveModel(model, join(folder, 'grey'));
  const config = join(folder, 'grey.json');
  await writeFile(config, JSON.stringify({ ...TINY, width: 1, preset: 'smoke', data: 'folder:split', model: 'grey' }));
  const out = join(folder, 'grey-run');
  const flags = ['--config', config, '--out', out, '--learning-rate', '0.01', '--min-filters', '2', '--threads', '1'];
  const { code, stdout, stderr } = await secateur('run', ...flags, '--json');
  expect(code, stderr).toBe(0);
  expect(JSON.parse(stdout).data.images).toEqual({ training: 30, validation: 12, scoring: 15, test: 9 });
  expect(stderr).toContain(
    "'grey' does not say how its images were standardised: those of split are by mean and standard deviation of its training images, with classes in the order circle, square, triangle.",
  );
  const { mean } = trainingDataOf(await loadModel(out))!;
  const { train } = await readImageFolder(join(data), { size: [24, 20], channels: 1, cacheDir: false });
  expect(mean).toEqual([
    expect.closeTo(train.images.reduce((sum, value) => sum + value, 0) / train.images.length / 255, 9),
  ]);

  const trained = await secateur(
    'run',
    ...flags,
    '--force',
    '--model',
    join(folder, 'grey'),
    '--epochs',
    '2',
    '--image-mean',
    '0.5',
    '--image-std',
    '0.25',
  );
  expect(trained.code, trained.stderr).toBe(0);
  expect(trained.stderr).not.toContain('does not say how');
  expect((await readEvents(out)).filter(({ type, phase }) => type === 'epoch' && phase === 'train')).toHaveLength(2);
  expect(trainingDataOf(await loadModel(out))).toMatchObject({ mean: [0.5], std: [0.25] });
});

it('gives labels in the order of the network that is given', async () => {
  const data = join(folder, 'ordered');
  await drawImages(data, { perClass: 5 });
  const model = sequential({
    layers: [
      layers.flatten({ inputShape: [4, 4, 3] }),
      layers.dense({ units: 3, kernelInitializer: 'zeros', biasInitializer: 'zeros' }),
    ],
  });
  // Says triangle, its first class, whatever it sees.
  model.layers[1]!.setWeights([model.layers[1]!.getWeights()[0]!, model.layers[1]!.getWeights()[1]!]);
  attachTrainingData(model, { classNames: ['triangle', 'circle', 'square'], mean: [0, 0, 0], std: [1, 1, 1] });
  await saveModel(model, join(folder, 'says-triangle'));
  const { classes } = await evaluate(join(folder, 'says-triangle'), '--data', `folder:${data}`);
  expect(classes).toEqual([
    { className: 'triangle', correct: 1, images: 1 },
    { className: 'circle', correct: 0, images: 1 },
    { className: 'square', correct: 0, images: 1 },
  ]);
});

describe('the command line refuses', () => {
  it.each([
    [['--data', 'folder:'], "Expected a path after 'folder:'"],
    [['--data', 'folder:nowhere'], 'cannot be read: there is no such folder'],
    [['--data', 'nowhere'], 'or folder:nowhere if it has a sub-folder of images for each class'],
    [['--image-size', '64', '--data', 'x'], '--image-size is for folders of images'],
    [['--image-mean', '0.5'], '--image-mean and --image-std belong together'],
    [['--image-mean', '0', '--image-std', '0'], '--image-std must be greater than 0'],
    [['--image-size', '0'], 'It must be a number of pixels from 1 to 16384'],
    [['--image-size', '3x4x5'], 'It must be a number of pixels from 1 to 16384'],
    [['--model', 'x', '--network', 'vgg11'], '--model is the network: leave out --network'],
    [['--model', 'nowhere'], "nowhere' holds no model"],
  ])('%j', async (flags, message) => {
    const { code, stderr } = await secateur(
      'run',
      '--preset',
      'smoke',
      '--out',
      join(folder, 'none'),
      '--force',
      ...flags,
    );
    expect([1, 2]).toContain(code);
    expect(stderr).toContain(message);
  });
});
