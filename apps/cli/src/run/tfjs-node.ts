// @tensorflow/tfjs-node, which a user may have installed: secateur installs and compiles without it.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as tf from '@tensorflow/tfjs-core';

/** What secateur asks of the module. */
export interface TfjsNode {
  readonly version: Readonly<Record<string, string>>;
}

interface Util {
  isNullOrUndefined?: (value: unknown) => boolean;
}

/**
 * Gives Node's util module the function that tfjs-node 4.22 calls and that Node 23 removed. To be called before tfjs-node loads.
 *
 * @param util The object that `require('util')` returns.
 */
export function restoreIsNullOrUndefined(util: Util = createRequire(import.meta.url)('node:util') as Util): void {
  util.isNullOrUndefined ??= (value) => value === null || value === undefined;
}

/**
 * Loads tfjs-node, which registers its backend `tensorflow`.
 *
 * @param load How to import it.
 * @throws Error when it is not installed, or registers with another copy of tfjs-core than this program's
 */
export async function loadTfjsNode(load: () => Promise<TfjsNode> = importTfjsNode): Promise<TfjsNode> {
  restoreIsNullOrUndefined();
  const tfjsNode = await load();
  if (!tf.findBackend('tensorflow')) {
    throw new Error(
      `@tensorflow/tfjs-node brings its own copy of tfjs-core; both must be of version ${tf.version_core}.`,
    );
  }
  return tfjsNode;
}

/**
 * The version of tfjs-node that is installed, without loading it: undefined where it is not.
 *
 * @param from The URL of the module that would import it.
 */
export function installedTfjsNode(from: string = import.meta.url): string | undefined {
  let path: string;
  try {
    path = createRequire(from).resolve('@tensorflow/tfjs-node/package.json');
  } catch {
    return undefined;
  }
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}

function importTfjsNode(): Promise<TfjsNode> {
  // A variable, so that the compiler does not ask for the package.
  const specifier: string = '@tensorflow/tfjs-node';
  return import(specifier);
}
