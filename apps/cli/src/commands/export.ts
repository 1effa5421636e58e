import { countCost } from '@secateur/core';
import { exportOnnx, type Verification, verify } from '@secateur/export';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Command } from 'commander';
import type { Bind, Invocation } from '../cli.ts';
import { EXIT, type ExitCode, UsageError } from '../exit.ts';
import { isCifar10Cached } from '../run/dataset.ts';
import { describeVerification } from '../run/execute-run.ts';
import { writeOutput } from '../run/files.ts';
import { firstImages, type ImageSample, openImages } from '../run/image-sources.ts';
import { adaptDataset } from '../run/model-data.ts';
import { loadModel, trainingDataOf } from '../run/model-folder.ts';
import { readHistory } from '../run/onnx-history.ts';
import { bytes } from '../terminal/format.ts';
import { VERSION } from '../version.ts';
import {
  addCommonOptions,
  addDataOption,
  addEngineOptions,
  choice,
  type DataFlags,
  type EngineFlags,
  integer,
} from './options.ts';
import { loadDatasetFor, startEngineFor } from './start.ts';

type Flags = DataFlags &
  EngineFlags & {
    readonly out: string;
    readonly softmax?: boolean;
    readonly preprocess?: boolean;
    readonly inputLayout: 'NCHW' | 'NHWC';
    readonly opset?: number;
    readonly fold: boolean;
    readonly verify: boolean;
    readonly images: number;
  };

type Sample = Pick<ImageSample, 'images' | 'shape'> & { readonly real: boolean };

export function exportCommand(program: Command, bind: Bind): void {
  const command = program
    .command('export')
    .description('Writes a saved network as an ONNX file, and compares both in onnxruntime.')
    .argument('<model>', 'model folder, run directory or .onnx file')
    .option('--out <file>', 'ONNX file', 'model.onnx')
    .option('--softmax', 'probabilities in place of logits')
    .option('--preprocess', 'take pixels, uint8 NHWC, standardise them in the file, and give probabilities')
    .addOption(choice('--input-layout <layout>', 'NCHW or NHWC', ['NCHW', 'NHWC']).default('NCHW'))
    .option('--opset <n>', "version of ONNX's operator set (default: 17)", integer(1))
    .option('--no-fold', 'keep batch normalisation as nodes of its own')
    .option('--no-verify', 'do not compare')
    .option('--images <n>', 'images to compare on', integer(1), 1000);
  addDataOption(command);
  addEngineOptions(command);
  addCommonOptions(command)
    .addHelpText(
      'after',
      `
Compares on the test images of --data, or of CIFAR-10 if it has been downloaded and fits; else on made-up images.

Examples:
  secateur export runs/quickstart --out small.onnx
  secateur export runs/quickstart --preprocess --out pixels-to-probabilities.onnx
  secateur export my-model --no-verify`,
    )
    .action(bind(exportModel));
}

async function exportModel(invocation: Invocation<Flags>): Promise<ExitCode> {
  const { flags, terminal } = invocation;
  const [path] = invocation.args as [string];
  await startEngineFor(invocation);
  const model = await loadModel(path, (note) => terminal.warn(note));
  const sample = flags.verify ? await sampleFor(invocation, model) : undefined;
  const description = describeInput(model);
  if (flags.preprocess && !description) {
    throw new UsageError(
      `--preprocess needs the mean and standard deviation of the images, but '${path}' does not say on what it was trained. Standardise before the file, or export with @secateur/export.`,
    );
  }
  const onnx = await exportOnnx(model, {
    ...description,
    ...(await readHistory(path)),
    ...(flags.softmax !== undefined && { softmax: flags.softmax }),
    ...(flags.opset !== undefined && { opset: flags.opset }),
    preprocessing: flags.preprocess ?? false,
    inputLayout: flags.inputLayout,
    foldBatchNorm: flags.fold,
    metadata: { secateur: JSON.stringify({ version: VERSION, macs: countCost(model).macs }) },
  });
  await writeOutput(flags.out, onnx);
  const verification: Verification | undefined = sample && (await verify(model, onnx, sample));
  const value = {
    file: flags.out,
    bytes: onnx.byteLength,
    realImages: sample?.real ?? null,
    verification: verification ?? null,
  };
  const verified =
    sample && verification ? `\n${describeVerification(verification)}${sample.real ? '' : ' (made up)'}.` : '';
  terminal.result({ text: () => `${flags.out}: ${bytes(onnx.byteLength)}${verified}`, value });
  return verification?.passed === false ? EXIT.goalMissed : EXIT.ok;
}

function describeInput(model: LayersModel) {
  const data = trainingDataOf(model);
  return data && { classNames: data.classNames, mean: data.mean, std: data.std, inputScale: 1 / 255 };
}

async function sampleFor(invocation: Invocation<Flags>, model: LayersModel): Promise<Sample> {
  const { flags, terminal } = invocation;
  const shape = model.inputs[0]!.shape.slice(1) as number[];
  const classes = model.outputs[0]!.shape.at(-1);
  const fitsCifar10 = String(shape) === '32,32,3' && classes === 10;
  if (flags.data !== undefined || (fitsCifar10 && isCifar10Cached())) {
    const { test, statistics } = adaptDataset(await loadDatasetFor(invocation), model);
    const source = openImages(test, { batchSize: 100, statistics });
    try {
      const { images, shape } = await firstImages(source, flags.images);
      return { images, shape, real: true };
    } finally {
      await source.close();
    }
  }
  terminal.line('  No test images at hand: comparing on made-up ones.');
  return { ...madeUpImages(flags.images, shape), real: false };
}

/** Waves of about the spread of standardised pixels, other ones for each image. */
function madeUpImages(count: number, shape: readonly number[]): Pick<ImageSample, 'images' | 'shape'> {
  const values = shape.reduce((product, size) => product * size, count);
  return {
    images: Float32Array.from({ length: values }, (_, i) => 1.4 * Math.sin(i * i * 1e-3 + i)),
    shape: [count, ...shape],
  };
}
