import type { Invocation } from '../cli.ts';
import { findConfigFile, readConfigFile } from '../run/config-file.ts';
import { type Engine, fastPrecision } from '../run/engine.ts';
import { isImageFolder } from '../run/image-folder.ts';
import type { ImageSourceOptions } from '../run/image-sources.ts';
import { PRESETS, type PresetName } from '../run/presets.ts';
import { resolveConfig } from '../run/resolve-config.ts';
import type { RunConfig } from '../run/run-config.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { type ConfigFlags, configPatch, type DataFlags, type PruningFlags } from './options.ts';
import { shortPath } from './with-run-directory.ts';

export interface ChosenConfig {
  readonly preset: PresetName;
  readonly config: RunConfig;
  /** Where the images are; undefined for CIFAR-10 from the cache. */
  readonly data: string | undefined;
}

/** A preset, then the configuration file (that of --config, or the one in the current folder), then the other flags: later ones win. */
export async function readConfig(
  { flags, terminal }: Invocation<ConfigFlags & PruningFlags & DataFlags & { readonly preset?: PresetName }>,
  section: 'training' | 'fineTune',
): Promise<ChosenConfig> {
  const path = flags.config ?? findConfigFile();
  const file = path === undefined ? undefined : await readConfigFile(path);
  if (file && !flags.config) terminal.step('Config', shortPath(file.path));
  const preset = flags.preset ?? file?.preset ?? 'quickstart';
  const data = flags.data ?? file?.data;
  const isOwn = isImageFolder(data) || (flags.model ?? file?.patch.model ?? null) !== null;
  const base = resolveConfig(PRESETS[preset], [
    ...(isOwn ? [{ origin: preset, patch: OWN_GOALS }] : []),
    ...(file ? [{ origin: shortPath(file.path), patch: file.patch }] : []),
  ]);
  const config = resolveConfig(base, [{ origin: 'command line', patch: configPatch(flags, base, section) }]);
  return { preset, config, data };
}

/** How far CIFAR-10 can be learned, and how fast, says nothing about other images and networks. */
const OWN_GOALS = { goals: { unprunedAccuracy: null, minutes: null } };

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
