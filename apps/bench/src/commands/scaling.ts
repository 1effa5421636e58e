import { Command } from 'commander';
import { choice, count, counts, factor, factors, list } from '../arguments.ts';
import { checkedCriterion } from '../criteria/parse-criterion.ts';
import { AXES, type Axis, KNOWN_DEPTHS, pointAt, WORKS, type Work } from '../scaling/axes.ts';
import type { ScalingRecord, ScalingTask } from '../scaling/records.ts';
import { buildReport, type MeasuredPoint, presentReport } from '../scaling/report.ts';
import { addStudyOptions, Study, type StudyOptions } from '../study/study.ts';

interface ScalingOptions extends StudyOptions {
  readonly axes: readonly Axis[];
  readonly works: readonly Work[];
  readonly widths: readonly number[];
  readonly depths: readonly number[];
  readonly classes: readonly number[];
  readonly imageSizes: readonly number[];
  readonly width: number;
  readonly criterion: string;
  readonly imagesPerClass: number;
  readonly repeats: number;
}

export function scalingCommand(): Command {
  const command = new Command('scaling')
    .description('how time and memory of scoring and surgery grow')
    .option('--axes <names>', `of ${AXES.join(', ')}`, list(AXES), [...AXES])
    .option('--works <names>', `of ${WORKS.join(', ')}`, list(WORKS), [...WORKS])
    .option('--widths <factors>', 'of VGG-16', factors, [0.125, 0.25, 0.5, 1])
    .option('--depths <counts>', `of ResNets: ${KNOWN_DEPTHS.join(', ')}`, depths, KNOWN_DEPTHS.map(Number))
    .option('--classes <counts>', 'with ResNet-20', counts, [10, 32, 100, 316, 1000])
    .option('--image-sizes <pixels>', 'sides of the images, with ResNet-20', counts, [32, 48, 64, 96, 128])
    .option('--width <factor>', 'factor on the widths of the ResNets', factor, 0.5)
    .option('--criterion <name>', 'name=value for a setting', checkedCriterion, 'reference')
    .option('--images-per-class <count>', 'images that are scored on', count, 10)
    .option('--repeats <count>', 'measured repetitions, of surgery five times as many', count, 3);
  return addStudyOptions(command).action(scaling);
}

function depths(text: string): number[] {
  const known = choice(KNOWN_DEPTHS);
  return [...new Set(text.split(',').map((part) => Number(known(part.trim()))))];
}

async function scaling(options: ScalingOptions): Promise<void> {
  const { axes, works, widths, classes, imageSizes, width, criterion, imagesPerClass, repeats } = options;
  const sizes: Record<Axis, readonly number[]> = {
    width: widths,
    depth: options.depths,
    classes,
    'image-size': imageSizes,
  };
  const study = await Study.open({ width, criterion, imagesPerClass, repeats }, options);
  const measured: MeasuredPoint[] = [];
  for (const axis of axes) {
    for (const work of works) {
      for (const size of sizes[axis]) {
        const task: ScalingTask = { point: pointAt(axis, size, width), work, imagesPerClass, criterion, repeats };
        const record = await study.measure<ScalingRecord>(`${axis}/${work}-${size}`, 'scaling', task);
        measured.push({ axis, work, size, ...record });
      }
    }
  }
  await study.publish(buildReport(measured), presentReport);
}
