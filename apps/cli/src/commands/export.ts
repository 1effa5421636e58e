import { countCost } from '@secateur/core';
import { exportOnnx, type OnnxSource, saveOnnx, type Verification, verify, writeOnnx } from '@secateur/export';
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
Compares on the test images of --data, or of CIFAR-10 if it has been downloaded and fits, and on made-up images.
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
  let size: number;
  if (flags.precision === 'float32') {
    size = (await writeOnnx(model, flags.out, { ...options, ...split })).byteLength;
    verifications = await compare(flags.out);
  } else {
    const wide = await exportOnnx(model, options);
    verifications = await compare(wide);
    const narrow = await reducePrecision(wide, flags.precision, () => calibrationFor(invocation, model));
    size = (await saveOnnx(narrow, flags.out, split)).byteLength;
    const files = [
      { precision: 'float32', onnx: wide },
      { precision: flags.precision, onnx: narrow },
    ] as const;
    precisions = await comparePrecisions(model, files, { sample: samples[0], threads: flags.threads });
  }
  const isReal = samples.map(({ labels }) => labels !== undefined);
  const value = {
    file: flags.out,
    bytes: size,
    realImages: isReal[0] ?? null,
    verification: verifications[0] ?? null,
    ...(verifications[1] && { madeUpImages: verifications[1] }),
    ...(precisions && { precisions }),
  };
  const lines = [
    `${flags.out}: ${bytes(size)}`,
    ...verifications.map((each, i) => `${describeVerification(each)}${isReal[i] ? '' : ' (made-up images)'}.`),
    ...(precisions ? ['', precisionReport(precisions)] : []),
  ];
  terminal.result({ text: () => lines.join('\n'), value });
  return verifications.every(({ passed }) => passed) ? EXIT.ok : EXIT.goalMissed;
}

function describeInput(model: LayersModel) {
  const data = trainingDataOf(model);
  return data && { classNames: data.classNames, mean: data.mean, std: data.std, inputScale: 1 / 255 };
}
