import type { QuantiseOptions, RangeRule } from '@secateur/export';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type Command, InvalidArgumentError } from 'commander';
import type { Invocation } from '../cli.ts';
import { UsageError } from '../exit.ts';
import { isCifar10Cached, takeImages } from '../run/dataset.ts';
import { firstImages, openImages } from '../run/image-sources.ts';
import { adaptDataset, isOfCifar10 } from '../run/model-data.ts';
import { imagesOf } from '../run/model-folder.ts';
import { PRECISIONS, type Precision } from '../run/precision.ts';
import { choice, type DataFlags, integer, names } from './options.ts';
import { loadDatasetFor } from './start.ts';

export interface PrecisionFlags {
  readonly precision: Precision;
  readonly calibrationImages: number;
  readonly calibrationRange: RangeRule;
  readonly weightBits: '7' | '8';
  readonly keepFloat32?: readonly string[];
}

export function addPrecisionOptions(command: Command): Command {
  return command
    .addOption(
      choice(
        '--precision <name>',
        'float32, float16 (weights), float16-activations (everything inside) or int8 (calibrated on training images)',
        PRECISIONS,
      ).default('float32'),
    )
    .option('--calibration-images <n>', 'training images that int8 is calibrated on', integer(1), 256)
    .option(
      '--calibration-range <rule>',
      'what int8 covers: min-max, or a percentile such as 99.99',
      rangeRule,
      'min-max',
    )
    .addOption(
      choice('--weight-bits <n>', 'bits of an int8 weight; 7 for processors without VNNI', ['7', '8']).default('8'),
    )
    .option('--keep-float32 <nodes>', 'names of nodes that int8 leaves alone, such as conv1,fc', names);
}

/** Training images of all classes, standardised as the network is used to. */
export async function calibrationFor(
  invocation: Invocation<PrecisionFlags & DataFlags>,
  model: LayersModel,
): Promise<QuantiseOptions> {
  const { data, calibrationImages, calibrationRange, weightBits, keepFloat32 = [] } = invocation.flags;
  if (data === undefined && !(isOfCifar10(model) && isCifar10Cached())) {
    const otherwise = isOfCifar10(model) ? ', or run secateur once so that CIFAR-10 is downloaded' : '';
    throw new UsageError(
      `int8 is calibrated on real images of the network's classes: name their folder with --data${otherwise}.`,
    );
  }
  const { train, statistics } = adaptDataset(await loadDatasetFor(invocation, { network: imagesOf(model) }), model);
  const source = openImages(takeImages(train, calibrationImages, 0), { batchSize: 100, statistics });
  try {
    const { images, shape } = await firstImages(source, calibrationImages);
    return { images, shape, range: calibrationRange, weightBits: weightBits === '7' ? 7 : 8, keep: keepFloat32 };
  } finally {
    await source.close();
  }
}

function rangeRule(text: string): RangeRule {
  if (text === 'min-max') return text;
  const percentile = Number(text);
  if (percentile > 50 && percentile <= 100) return { percentile };
  throw new InvalidArgumentError('It must be min-max, or a percentile above 50 and at most 100.');
}
