import { closeSync, constants, existsSync, openSync, readdirSync, writeSync } from 'node:fs';
import { access, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { toJson, writeFileAtomically, writeFolderAtomically } from './files.ts';
import { saveModel } from './model-folder.ts';

const CONFIG = 'config.json';
const EVENTS = 'events.jsonl';

/** What a run writes; all that --force removes. */
const OWN_ENTRIES =
  /^(config\.json|events\.jsonl|summary\.json|report\.html|scores\.json|plan(-\d+)?\.json|[a-z-]+\.onnx|model|checkpoints)$/;

/** The folder of one run: everything that it did, decided and made. */
export class RunDirectory {
  readonly path: string;
  readonly #events: number;
  readonly #started = performance.now();

  private constructor(path: string) {
    this.path = path;
    this.#events = openSync(join(path, EVENTS), 'w');
  }

  /**
   * @param force Replace what a former run has written there; other files stay.
   * @throws Error when the folder cannot be written, or has something in it.
   */
  static async create(path: string, { force, config }: { force: boolean; config: unknown }): Promise<RunDirectory> {
    const directory = resolve(path);
    try {
      await mkdir(directory, { recursive: true });
      await access(directory, constants.W_OK);
      await clear(directory, force);
      await writeFileAtomically(join(directory, CONFIG), toJson(config));
      return new RunDirectory(directory);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (!code) throw error;
      throw new Error(`The run directory '${path}' cannot be written (${message}). Choose another one with --out.`, {
        cause: error,
      });
    }
  }

  file(name: string): string {
    return join(this.path, name);
  }

  /** One line of events.jsonl, with the seconds since the start; typed arrays become lists. It is on disk when this returns. */
  event(event: { readonly type: string; readonly [key: string]: unknown }): void {
    const seconds = Math.round(performance.now() - this.#started) / 1000;
    writeSync(this.#events, `${JSON.stringify({ seconds, ...event }, compact)}\n`);
  }

  async writeJson(name: string, value: unknown): Promise<void> {
    await writeFileAtomically(this.file(name), toJson(value));
  }

  async saveModel(name: string, model: LayersModel): Promise<string> {
    await mkdir(dirname(this.file(name)), { recursive: true });
    await saveModel(model, this.file(name));
    return this.file(name);
  }

  /** Copies a model that this run has saved, without loading it. */
  async copyModel(from: string, to: string): Promise<string> {
    const names = await readdir(this.file(from));
    const files = await Promise.all(names.map(async (name) => [name, await readFile(join(this.file(from), name))]));
    await writeFolderAtomically(this.file(to), Object.fromEntries(files));
    return this.file(to);
  }

  close(): void {
    closeSync(this.#events);
  }
}

export function isRun(directory: string): boolean {
  return existsSync(join(directory, CONFIG)) && existsSync(join(directory, EVENTS));
}

async function clear(directory: string, force: boolean): Promise<void> {
  const entries = readdirSync(directory);
  if (entries.length === 0) return;
  if (!force) {
    const state = isRun(directory) ? 'already holds a run' : 'is not empty, and holds no run of secateur';
    throw new Error(`'${directory}' ${state}. Choose another folder with --out, or replace it with --force.`);
  }
  for (const entry of entries.filter((name) => OWN_ENTRIES.test(name))) {
    await rm(join(directory, entry), { recursive: true, force: true });
  }
}

/** Six digits tell losses apart; more would double the file. */
function compact(_key: string, value: unknown): unknown {
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<number>, round);
  return typeof value === 'number' ? round(value) : value;
}

function round(value: number): number {
  return Number.isInteger(value) ? value : Number(value.toPrecision(6));
}
