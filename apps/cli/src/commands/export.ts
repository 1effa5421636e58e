import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { countCost } from '@secateur/core';
import {
  type ClassifierDescription,
  exportOnnx,
  type OnnxSource,
  readOnnxMetadata,
  saveOnnx,
  type Verification,
  verify,
  writeOnnx,
} from '@secateur/export';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Command } from 'commander';
import type { Bind, Invocation } from '../cli.ts';
import { EXIT, type ExitCode, UsageError } from '../exit.ts';
import { describeVerification } from '../run/execute-run.ts';
import { loadModel, trainingDataOf } from '../run/model-folder.ts';
import { readHistory } from '../run/onnx-history.ts';
import { comparePrecisions, type PrecisionReport, reducePrecision } from '../run/precision.ts';
import { bytes } from '../terminal/format.ts';
import { precisionReport } from '../terminal/precision-report.ts';
import { VERSION } from '../version.ts';
import { comparisonImages } from './comparison-images.ts';
import {
  addCommonOptions,
  addDataOption,
  addEngineOptions,
  choice,
  type DataFlags,
  type EngineFlags,
  integer,
  statisticsOfFlags,
} from './options.ts';
import { addPrecisionOptions, calibrationFor, type PrecisionFlags } from './precision.ts';
import { startEngineFor } from './start.ts';

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

interface ExternalFile {
  readonly file: string;
  readonly bytes: number;
}

export function exportCommand(program: Command, bind: Bind): void {
  const command = program
    .command('export')
    .description('Writes a saved network as an ONNX file, and compares both in onnxruntime.')
    .argument('<model>', 'model folder, run directory or .onnx file')
    .option('--out <file>', 'ONNX file', 'model.onnx')
    .option('--softmax', 'probabilities in place of logits')
    .option('--preprocess', 'take pixels, uint8 NHWC, standardise them in the file, and give probabilities')
    .addOption(choice('--input-layout <layout>', 'NCHW or NHWC', ['NCHW', 'NHWC']).default('NCHW'))
    .option('--opset <n>', "version of ONNX's operator set, 17 to 26 (default: 17)", integer(1))
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
Compares on the test images of --data, or of CIFAR-10 if the network was trained on it, and on made-up images.
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
  const samples = flags.verify ? await comparisonImages(invocation, model) : [];
  const description = describeInput(model, flags);
  if (flags.preprocess && !('mean' in description)) {
    throw new UsageError(
      `--preprocess needs the mean and standard deviation of the images, but '${path}' does not say on what it was trained. Give --image-mean and --image-std.`,
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
    metadata: {
      secateur: JSON.stringify({
        version: VERSION,
        macs: countCost(model).macs,
        folderForm: trainingDataOf(model)?.folderForm,
      }),
    },
  };
  const split = flags.externalDataOver === undefined ? {} : { externalDataOver: flags.externalDataOver };
  const compare = async (onnx: OnnxSource) => {
    const verifications: Verification[] = [];
    for (const sample of samples) verifications.push(await verify(model, onnx, sample));
    return verifications;
  };
  let precisions: readonly PrecisionReport[] | undefined;
  let verifications: readonly Verification[];
  let written: Uint8Array;
  if (flags.precision === 'float32') {
    written = await writeOnnx(model, flags.out, { ...options, ...split });
    verifications = await compare(flags.out);
  } else {
    const wide = await exportOnnx(model, options);
    verifications = await compare(wide);
    const narrow = await reducePrecision(wide, flags.precision, () => calibrationFor(invocation, model));
    written = await saveOnnx(narrow, flags.out, split);
    const files = [
      { precision: 'float32', onnx: wide },
      { precision: flags.precision, onnx: narrow },
    ] as const;
    precisions = await comparePrecisions(model, files, { sample: samples[0], threads: flags.threads });
  }
  const externalFiles = await externalFilesOf(written, flags.out);
  const isReal = samples.map(({ labels }) => labels !== undefined);
  const numbers = (flags.softmax ?? flags.preprocess) ? 'probabilities' : 'logits';
  const value = {
    file: flags.out,
    bytes: written.byteLength,
    ...(externalFiles.length > 0 && { externalFiles }),
    realImages: isReal[0] ?? null,
    verification: verifications[0] ?? null,
    ...(verifications[1] && { madeUpImages: verifications[1] }),
    ...(precisions && { precisions }),
  };
  const lines = [
    `${flags.out}: ${bytes(written.byteLength)}`,
    ...externalFiles.map((each) => `${each.file}: ${bytes(each.bytes)} of weights, which belong beside it`),
    ...verifications.map((each, i) => `${describeVerification(each, numbers)}${isReal[i] ? '' : ' (made-up images)'}.`),
    ...(precisions ? ['', precisionReport(precisions)] : []),
  ];
  terminal.result({ text: () => lines.join('\n'), value });
  return verifications.every(({ passed }) => passed) ? EXIT.ok : EXIT.goalMissed;
}

function describeInput(model: LayersModel, flags: DataFlags): ClassifierDescription {
  const trainedOn = trainingDataOf(model);
  const statistics = statisticsOfFlags(flags) ?? trainedOn;
  return {
    ...(trainedOn && { classNames: trainedOn.classNames }),
    ...(statistics && { mean: statistics.mean, std: statistics.std, inputScale: 1 / 255 }),
  };
}

/** Weights that lie beside the written file. */
async function externalFilesOf(written: Uint8Array, path: string): Promise<ExternalFile[]> {
  const { externalFiles } = readOnnxMetadata(written, `'${path}'`);
  return Promise.all(
    externalFiles.map(async (name) => {
      const file = join(dirname(path), name);
      return { file, bytes: (await stat(file)).size };
    }),
  );
}
