import type { Invocation } from '../cli.ts';
import { UsageError } from '../exit.ts';
import { type Dataset, isCifar10Cached, loadDataset } from '../run/dataset.ts';
import { type Engine, type EngineChoice, startEngine } from '../run/engine.ts';
import { IMAGE_FOLDER, type ImageFolderSettings, isImageFolder, type NetworkImages } from '../run/image-folder.ts';
import { bar, percent } from '../terminal/format.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { VERSION } from '../version.ts';
import { type DataFlags, type EngineFlags, imageFolderPatch } from './options.ts';

/** Starts the engine and says which; warns when it is a slow one. */
export async function startEngineFor({ flags, terminal }: Invocation<EngineFlags>): Promise<Engine> {
  const choice = await startEngine(flags);
  announce(choice, { terminal, asked: flags.engine !== undefined });
  return choice.engine;
}

function announce(
  { engine, unusable }: EngineChoice,
  { terminal, asked }: { terminal: Terminal; asked: boolean },
): void {
  const threads = engine.threads ? `, ${engine.threads} ${engine.threads === 1 ? 'thread' : 'threads'}` : '';
  terminal.step('Engine', `${engine.name} (${engine.description}${threads}), secateur ${VERSION}`);
  if (asked) return;
  for (const { name, reason } of unusable)
    terminal.line(terminal.colors.dim(`  '${name}' does not work here: ${reason}`));
  if (engine.name === 'cpu') {
    terminal.warn(
      "only the engine 'cpu' works here, in plain JavaScript: it is hundreds of times slower, and of use for tiny networks alone. See: secateur doctor",
    );
  }
}

const STAGES = {
  download: 'download CIFAR-10',
  verify: 'check the download',
  unpack: 'unpack',
  decode: 'decode images',
};

export interface Images {
  /** Default: what --data says. */
  readonly data?: string | undefined;
  /** Default: what the flags say. */
  readonly settings?: ImageFolderSettings;
  readonly network?: NetworkImages | undefined;
}

/** Reads or fetches the images, showing how far that is, and which files of a folder are no images. */
export async function loadDatasetFor(
  { flags, terminal, signal }: Invocation<DataFlags>,
  { data = flags.data, settings = settingsOf(flags), network }: Images = {},
): Promise<Dataset> {
  if (data === undefined && !isCifar10Cached()) terminal.step('Data', 'downloading CIFAR-10 (139 MB, once)');
  if (flags.imageSize !== undefined && !isImageFolder(data)) {
    throw new UsageError('--image-size is for folders of images: name one with --data folder:PATH, or leave it out.');
  }
  const dataset = await loadDataset({
    data,
    folder: { settings, network },
    signal,
    onProgress: ({ stage, fraction }) =>
      terminal.progress(() => `  ${STAGES[stage]}  ${terminal.colors.cyan(bar(fraction))}  ${percent(fraction, 0)}`),
  });
  for (const { file, reason } of dataset.folder?.skipped ?? []) terminal.warn(`skipped ${file}: ${reason}.`);
  return dataset;
}

function settingsOf(flags: DataFlags): ImageFolderSettings {
  const given = Object.entries(imageFolderPatch(flags)).filter(([, value]) => value !== undefined);
  return { ...IMAGE_FOLDER, ...Object.fromEntries(given) };
}
