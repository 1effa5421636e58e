import { countCost, evaluate } from '@secateur/core';
import type { Command } from 'commander';
import type { Bind, Invocation } from '../cli.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { observe } from '../run/batch-sources.ts';
import { takeImages } from '../run/dataset.ts';
import { evaluateOnnx, openOnnxFor } from '../run/evaluate-onnx.ts';
import { openImages } from '../run/image-sources.ts';
import { adaptDataset } from '../run/model-data.ts';
import { imagesOf, loadModel } from '../run/model-folder.ts';
import { imagesOfOnnx, isOnnxFile } from '../run/onnx-model.ts';
import { describeCost, evaluationReport } from '../terminal/evaluation-report.ts';
import { whole } from '../terminal/format.ts';
import {
  addCommonOptions,
  addDataOption,
  addEngineOptions,
  type DataFlags,
  type EngineFlags,
  integer,
} from './options.ts';
import { loadDatasetFor, startEngineFor } from './start.ts';

type Flags = DataFlags & EngineFlags & { readonly testImages?: number; readonly batchSize: number };

export function evaluateCommand(program: Command, bind: Bind): void {
  const command = program
    .command('evaluate')
    .description(
      'Classifies the test images with a saved network or an ONNX file, and tells the accuracy of each class.',
    )
    .argument('<model>', 'model folder, run directory or .onnx file')
    .option('--test-images <n>', 'take only so many test images', integer(1))
    .option('--batch-size <n>', 'images at a time', integer(1), 100);
  addDataOption(command);
  addEngineOptions(command);
  addCommonOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  secateur evaluate runs/quickstart
  secateur evaluate small.onnx --json`,
    )
    .action(bind(evaluateModel));
}

async function evaluateModel(invocation: Invocation<Flags>): Promise<ExitCode> {
  const { flags, terminal, signal } = invocation;
  const [path] = invocation.args as [string];
  const model = isOnnxFile(path) ? undefined : await startAndLoad(invocation, path);
  const images = await loadDatasetFor(invocation, { network: model ? imagesOf(model) : await imagesOfOnnx(path) });
  const file = model ? undefined : await openOnnxFor(path, images, (note) => terminal.warn(note));
  const dataset = file?.dataset ?? adaptDataset(images, model!);
  const test = takeImages(dataset.test, flags.testImages ?? null, 0);
  const source = openImages(test, { batchSize: flags.batchSize, statistics: dataset.statistics });
  let seen = 0;
  const onBatch = (count: number) => {
    seen += count;
    terminal.progress(() => `  ${whole(seen)} of ${whole(source.size)} images`);
  };
  try {
    const observed = observe(source, { signal, onBatch });
    const evaluation = file ? await evaluateOnnx(file.classifier, observed) : await evaluate(model!, observed);
    const cost = model && countCost(model);
    const value = { model: path, ...(cost && { macs: cost.macs, parameters: cost.parameters }), ...evaluation };
    if (cost) terminal.step('Network', describeCost(cost));
    terminal.result({ text: () => evaluationReport(evaluation), value });
    return EXIT.ok;
  } finally {
    await Promise.all([source.close(), file?.classifier.release()]);
  }
}

async function startAndLoad(invocation: Invocation<Flags>, path: string) {
  await startEngineFor(invocation);
  return loadModel(path);
}
