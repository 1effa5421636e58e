import { type Engine, fastPrecision } from '../run/engine.ts';
import type { ImageSourceOptions } from '../run/image-sources.ts';
import { PRESETS } from '../run/presets.ts';
import { readConfigFile, resolveConfig } from '../run/resolve-config.ts';
import type { RunConfig } from '../run/run-config.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { type ConfigFlags, configPatch, type PruningFlags } from './options.ts';

/** A preset, then --config, then the other flags: later ones win. */
export async function readConfig(
  flags: ConfigFlags & PruningFlags,
  section: 'training' | 'fineTune',
  preset: RunConfig = PRESETS.quickstart,
): Promise<RunConfig> {
  const file = flags.config ? [{ origin: flags.config, patch: await readConfigFile(flags.config) }] : [];
  const base = resolveConfig(preset, file);
  return resolveConfig(base, [{ origin: 'command line', patch: configPatch(flags, base, section) }]);
}

/** The part of a configuration that chooses images. */
export function imageOptions({
  seed,
  batchSize,
  trainingImages,
  testImages,
  validationFraction,
  imagesPerClass,
  augment,
}: RunConfig): ImageSourceOptions {
  return { seed, batchSize, trainingImages, testImages, validationFraction, imagesPerClass, augment };
}

/** What --precision says; a preset's bfloat16 gives way to float32, with a word about it, where it would not be faster. */
export function precisionFor(
  { precision }: Pick<RunConfig, 'precision'>,
  { flags, engine, terminal }: { flags: ConfigFlags; engine: Engine; terminal: Terminal },
): RunConfig['precision'] {
  const fast = fastPrecision(precision, engine);
  if (flags.precision || fast === precision) return precision;
  terminal.line(`  float32 in place of ${precision}, for which this machine has no instructions.`);
  return fast;
}
