import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, extname, resolve } from 'node:path';
import { createJiti } from 'jiti';
import { didYouMean } from '../did-you-mean.ts';
import { UsageError } from '../exit.ts';
import { resolveData } from './image-folder.ts';
import { PRESET_NAMES, type PresetName } from './presets.ts';
import { type ConfigPatch, isObject } from './resolve-config.ts';
import type { RunConfig } from './run-config.ts';

/** What a configuration file may hold: a preset, and any part of what is to differ from it. */
export type SecateurConfig = DeepPartial<RunConfig> & {
  /** Default quickstart. */
  readonly preset?: PresetName;
  /** What --data says. */
  readonly data?: string;
  /** Where editors find the schema. */
  readonly $schema?: string;
};

/** All keys may be left out, to any depth. */
type DeepPartial<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [Key in keyof T]?: DeepPartial<T[Key]> }
    : T;

export interface ConfigFile {
  readonly path: string;
  readonly preset: PresetName | undefined;
  readonly data?: string;
  readonly patch: ConfigPatch;
}

const FOUND_BY_NAME = ['secateur.config.json', 'secateur.config.ts'];

/** The configuration in the current folder, if there is one. */
export function findConfigFile(folder = '.'): string | undefined {
  return FOUND_BY_NAME.map((name) => resolve(folder, name)).find((path) => existsSync(path));
}

/**
 * Reads a JSON file, or the default export of a TypeScript or JavaScript file.
 *
 * @throws UsageError when it cannot be read, holds no object, or names a preset that does not exist.
 */
export async function readConfigFile(file: string): Promise<ConfigFile> {
  const value = extname(file) === '.json' ? await readJson(file) : await importDefault(file);
  if (!isObject(value)) {
    throw new UsageError(
      `The configuration '${file}' must hold one JSON object, or export one as its default, such as { "training": { "epochs": 10 } }.`,
    );
  }
  const { preset, data, $schema: _, ...patch } = value;
  if (preset !== undefined && !PRESET_NAMES.includes(preset as PresetName)) {
    throw new UsageError(
      `${file}: There is no preset '${preset}'.${didYouMean(String(preset), PRESET_NAMES)} Choose from: ${PRESET_NAMES.join(', ')}.`,
    );
  }
  if (data !== undefined && typeof data !== 'string') {
    throw new UsageError(
      `${file}: data: Expected a path, or folder:path for a folder of images, such as "folder:photos".`,
    );
  }
  // Paths in a file are seen from its folder.
  const folder = dirname(file);
  return {
    path: file,
    preset: preset as PresetName | undefined,
    ...(data !== undefined && { data: resolveData(data, folder) }),
    patch: typeof patch.model === 'string' ? { ...patch, model: resolve(folder, patch.model) } : patch,
  };
}

async function readJson(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw unreadable(file, error);
  });
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`The configuration '${file}' is not JSON: ${(error as Error).message}.`);
  }
}

/** By jiti: Node reads TypeScript by itself only from 22.18 on. */
async function importDefault(file: string): Promise<unknown> {
  try {
    const module = await createJiti(import.meta.url, { fsCache: false }).import<{ default?: unknown }>(resolve(file));
    return Object.hasOwn(module, 'default') ? module.default : undefined;
  } catch (error) {
    throw unreadable(file, error as Error);
  }
}

function unreadable(file: string, { message }: Error): UsageError {
  const [line] = message.split('\n') as [string];
  return new UsageError(`The configuration '${file}' cannot be read: ${line.replace(/\.$/, '')}.`);
}
