import { readFile } from 'node:fs/promises';
import { countCost, evaluate } from '@secateur/core';
import { readOnnxMetadata } from '@secateur/export';
import type { Command } from 'commander';
import type { Bind, Invocation } from '../cli.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { observe } from '../run/batch-sources.ts';
import { type Dataset, takeImages } from '../run/dataset.ts';
import { evaluateOnnx } from '../run/evaluate-onnx.ts';
import { openImages } from '../run/image-sources.ts';
import { adaptDataset, withClassesOf } from '../run/model-data.ts';
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
  const dataset = model ? adaptDataset(images, model) : await standardiseFor(path, images);
  const test = takeImages(dataset.test, flags.testImages ?? null, 0);
  const source = openImages(test, { batchSize: flags.batchSize, statistics: dataset.statistics });
  let seen = 0;
  const onBatch = (count: number) => {
    seen += count;
    terminal.progress(() => `  ${whole(seen)} of ${whole(source.size)} images`);
  };
  try {
    const observed = observe(source, { signal, onBatch });
    const evaluation = model ? await evaluate(model, observed) : await evaluateOnnx(path, observed);
    const cost = model && countCost(model);
    const value = { model: path, ...(cost && { macs: cost.macs, parameters: cost.parameters }), ...evaluation };
    if (cost) terminal.step('Network', describeCost(cost));
    terminal.result({ text: () => evaluationReport(evaluation), value });
    return EXIT.ok;
  } finally {
    await source.close();
  }
}

async function startAndLoad(invocation: Invocation<Flags>, path: string) {
  await startEngineFor(invocation);
  return loadModel(path);
}

/** An ONNX file of secateur states its classes and its normalisation; others get the data set's. */
async function standardiseFor(file: string, whole: Dataset): Promise<Dataset> {
  const { mean, std, classNames } = readOnnxMetadata(await readFile(file));
  const dataset = classNames ? withClassesOf(whole, classNames) : whole;
  return mean && std && !whole.folder?.hasOwnStatistics ? { ...dataset, statistics: { mean, std } } : dataset;
}
