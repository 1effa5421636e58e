import { countCost } from '@secateur/core';
import { exportOnnx, type ImageBatch, saveOnnx, type Verification, verify, writeOnnx } from '@secateur/export';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Command } from 'commander';
import type { Bind, Invocation } from '../cli.ts';
import { EXIT, type ExitCode, UsageError } from '../exit.ts';
import { isCifar10Cached } from '../run/dataset.ts';
import { describeVerification } from '../run/execute-run.ts';
import { firstImages, openImages } from '../run/image-sources.ts';
import { adaptDataset } from '../run/model-data.ts';
import { loadModel, trainingDataOf } from '../run/model-folder.ts';
import { readHistory } from '../run/onnx-history.ts';
import { comparePrecisions, type PrecisionReport, reducePrecision, type Sample } from '../run/precision.ts';
import { bytes } from '../terminal/format.ts';
import { precisionReport } from '../terminal/precision-report.ts';
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
import { addPrecisionOptions, calibrationFor, type PrecisionFlags } from './precision.ts';
import { loadDatasetFor, startEngineFor } from './start.ts';

type Flags = DataFlags &
  EngineFlags &
  PrecisionFlags & {
    readonly out: string;
    readonly softmax?: boolean;
    readonly preprocess?: boolean;
    readonly inputLayout: 'NCHW' | 'NHWC';
    readonly opset?: number;
    readonly fold: boolean;
    readonly verify: boolean;
    readonly images: number;
    readonly externalDataOver?: number;
  };

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
    .option('--images <n>', 'images to compare on', integer(1), 1000)
    .option(
      '--external-data-over <bytes>',
      'put weights beside the file, into <file>.data, if they take more (default: 2 GB)',
      integer(0),
    );
  addPrecisionOptions(command);
  addDataOption(command);
  addEngineOptions(command);
  addCommonOptions(command)
    .addHelpText(
      'after',
      `
Compares on the test images of --data, or of CIFAR-10 if it has been downloaded and fits; else on made-up images.
The float32 export must agree with the network. With --precision it is made smaller after that, and accuracy and latency of both are told.

Examples:
  secateur export runs/quickstart --out small.onnx
  secateur export runs/quickstart --preprocess --out pixels-to-probabilities.onnx
  secateur export runs/quickstart --precision int8 --out int8.onnx
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
  const options = {
    ...description,
    ...(await readHistory(path)),
    ...(flags.softmax !== undefined && { softmax: flags.softmax }),
    ...(flags.opset !== undefined && { opset: flags.opset }),
    preprocessing: flags.preprocess ?? false,
    inputLayout: flags.inputLayout,
    foldBatchNorm: flags.fold,
    metadata: { secateur: JSON.stringify({ version: VERSION, macs: countCost(model).macs }) },
  };
  const split = flags.externalDataOver === undefined ? {} : { externalDataOver: flags.externalDataOver };
  let precisions: readonly PrecisionReport[] | undefined;
  let verification: Verification | undefined;
  let size: number;
  if (flags.precision === 'float32') {
    size = (await writeOnnx(model, flags.out, { ...options, ...split })).byteLength;
    verification = sample && (await verify(model, flags.out, sample));
  } else {
    const wide = await exportOnnx(model, options);
    verification = sample && (await verify(model, wide, sample));
    const narrow = await reducePrecision(wide, flags.precision, () => calibrationFor(invocation, model));
    size = (await saveOnnx(narrow, flags.out, split)).byteLength;
    const files = [
      { precision: 'float32', onnx: wide },
      { precision: flags.precision, onnx: narrow },
    ] as const;
    precisions = await comparePrecisions(model, files, { sample, threads: flags.threads });
  }
  const value = {
    file: flags.out,
    bytes: size,
    realImages: sample ? sample.labels !== undefined : null,
    verification: verification ?? null,
    ...(precisions && { precisions }),
  };
  const verified =
    sample && verification ? `\n${describeVerification(verification)}${sample.labels ? '' : ' (made up)'}.` : '';
  const compared = precisions ? `\n\n${precisionReport(precisions)}` : '';
  terminal.result({ text: () => `${flags.out}: ${bytes(size)}${verified}${compared}`, value });
  return verification?.passed === false ? EXIT.goalMissed : EXIT.ok;
}

function describeInput(model: LayersModel) {
  const data = trainingDataOf(model);
  return data && { classNames: data.classNames, mean: data.mean, std: data.std, inputScale: 1 / 255 };
}

async function sampleFor(invocation: Invocation<Flags>, model: LayersModel): Promise<Sample> {
  const { flags, terminal } = invocation;
  const shapes = model.inputs.map(({ shape }) => shape.slice(1) as number[]);
  const fitsCifar10 = shapes.join(';') === '32,32,3' && String(model.outputs[0]!.shape.slice(1)) === '10';
  if (flags.data !== undefined || (fitsCifar10 && isCifar10Cached())) {
    const { test, statistics } = adaptDataset(await loadDatasetFor(invocation), model);
    const source = openImages(test, { batchSize: 100, statistics });
    try {
      return await firstImages(source, flags.images);
    } finally {
      await source.close();
    }
  }
  terminal.line('  No test images at hand: comparing on made-up ones.');
  const most = Math.max(...shapes.map((shape) => sizeOf(shape)));
  const count = Math.min(flags.images, Math.max(1, Math.floor(MOST_MADE_UP / most)));
  return { inputs: shapes.map((shape) => madeUpImages(count, shape)) };
}

/** Numbers of made-up images: more take much memory and tell nothing new. */
const MOST_MADE_UP = 2 ** 25;

/** Waves of about the spread of standardised pixels, other ones for each image. */
function madeUpImages(count: number, shape: readonly number[]): ImageBatch {
  return {
    images: Float32Array.from({ length: count * sizeOf(shape) }, (_, i) => 1.4 * Math.sin(i * i * 1e-3 + i)),
    shape: [count, ...shape],
  };
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
