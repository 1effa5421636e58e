import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readdirSync,
  writeSync,
} from 'node:fs';
import { access, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { isTemporary, removeTemporaries, toJson, writeFileAtomically, writeFolderAtomically } from './files.ts';
import { CONFIG, EVENTS, isRun } from './is-run.ts';
import { saveModel } from './model-folder.ts';
import { acquireLock, type RunLock } from './run-lock.ts';
import { isResumable, type ResumableCommand } from './stored-run.ts';

const LOCK = '.lock';
const ANOTHER = 'Choose another one with --out.';

/** What a run writes; all that --force removes. */
const OWN_ENTRIES =
  /^(config\.json|events\.jsonl|summary\.json|report\.html|scores\.json|plan(-\d+)?\.json|[a-z-]+\.onnx|model|checkpoints)$/;

/** The folder of one run: everything that it did, decided and made. Nobody else may work in it until it is closed. */
export class RunDirectory {
  readonly path: string;
  readonly #lock: RunLock;
  #events: number | undefined;
  #started = performance.now();

  private constructor(path: string, lock: RunLock) {
    this.path = path;
    this.#lock = lock;
  }

  /**
   * Finds out what `create` would refuse, without making or changing anything.
   *
   * @throws Error when the folder cannot be written, or has something in it that is not to be replaced.
   */
  static async check(path: string, { force }: { force: boolean }): Promise<void> {
    const directory = resolve(path);
    await naming(path, ANOTHER, async () => {
      let parent = directory;
      while (!existsSync(parent)) parent = dirname(parent);
      // With its separator, so that a file is none.
      await access(parent + sep, constants.W_OK);
      if (parent === directory && !force) await refuseFilled(directory);
    });
  }

  /**
   * @param force Replace what a former run has written there; other files stay.
   * @throws Error when the folder cannot be written, has something in it, or another process works there.
   */
  static async create(path: string, { force, config }: { force: boolean; config: unknown }): Promise<RunDirectory> {
    return lockFolder(path, ANOTHER, async (directory, lock) => {
      await clear(directory, force);
      await writeFileAtomically(join(directory, CONFIG), toJson(config));
      const run = new RunDirectory(directory, lock);
      run.startEvents();
      return run;
    });
  }

  /**
   * Opens the folder of a run to go on with it; call `startEvents` next. Nothing of what the run has written is changed.
   *
   * @param parse Checks what config.json says; what it throws leaves the folder as it was.
   * @returns The folder, and what its config.json says.
   * @throws Error when there is no run, or another process works there.
   */
  static async reopen<Config>(
    path: string,
    parse: (config: unknown, file: string) => Config,
  ): Promise<{ directory: RunDirectory; config: Config }> {
    if (!existsSync(join(path, CONFIG))) {
      throw new Error(`'${path}' holds no run to go on with: it has no ${CONFIG}. Start one with --out '${path}'.`);
    }
    return lockFolder(path, 'Mend that, or go on with a copy of it.', async (directory, lock) => {
      const file = join(directory, CONFIG);
      const text = await readFile(file, 'utf8');
      let config: unknown;
      try {
        config = JSON.parse(text);
      } catch (error) {
        throw new Error(`'${file}' is damaged: ${(error as Error).message}. Start the run anew.`);
      }
      return { directory: new RunDirectory(directory, lock), config: parse(config, file) };
    });
  }

  /**
   * Opens events.jsonl.
   *
   * @param from What to go on from: of the file, the bytes written by then, which may be followed by what a process wrote
   *   before it ended; and the milliseconds since the start.
   */
  startEvents({ bytes = 0, milliseconds = 0 }: { readonly bytes?: number; readonly milliseconds?: number } = {}): void {
    const events = openSync(this.file(EVENTS), constants.O_CREAT | constants.O_WRONLY | constants.O_APPEND, 0o666);
    // A file that has lost some of its end, as after a power failure, must not be filled up with zeros.
    if (fstatSync(events).size > bytes) ftruncateSync(events, bytes);
    this.#events = events;
    this.#started = performance.now() - milliseconds;
  }

  /** Milliseconds since the start, without those between two processes and those that reading images takes. */
  get elapsed(): number {
    return performance.now() - this.#started;
  }

  file(name: string): string {
    return join(this.path, name);
  }

  /** One line of events.jsonl, with the seconds since the start; typed arrays become lists. No crash of the process loses it. */
  event(event: { readonly type: string; readonly [key: string]: unknown }): void {
    const seconds = Math.round(this.elapsed) / 1000;
    const line = `${JSON.stringify({ seconds, ...event }, compact)}\n`;
    try {
      writeSync(this.#openEvents, line);
    } catch (cause) {
      throw new Error(`'${this.file(EVENTS)}' cannot be written (${(cause as Error).message})`, {
        cause,
      });
    }
  }

  /** Brings all events to the disk. @returns Bytes of events.jsonl. */
  syncEvents(): number {
    fsyncSync(this.#openEvents);
    return fstatSync(this.#openEvents).size;
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
    if (this.#events !== undefined) closeSync(this.#events);
    this.#events = undefined;
    this.#lock.release();
  }

  /** Whether events can be recorded. */
  get isOpen(): boolean {
    return this.#events !== undefined;
  }

  get #openEvents(): number {
    if (this.#events === undefined)
      throw new Error(`The events of '${this.path}' are not open: call startEvents first.`);
    return this.#events;
  }
}

async function lockFolder<T>(
  path: string,
  remedy: string,
  open: (directory: string, lock: RunLock) => Promise<T>,
): Promise<T> {
  const directory = resolve(path);
  return naming(path, remedy, async () => {
    await makeFolder(directory);
    await access(directory, constants.W_OK);
    const lock = acquireLock(join(directory, LOCK));
    try {
      await removeTemporaries(directory);
      return await open(directory, lock);
    } catch (error) {
      lock.release();
      throw error;
    }
  });
}

/** Step by step: mkdir's own recursion never ends where a folder cannot hold others, as /proc. */
async function makeFolder(directory: string): Promise<void> {
  if (existsSync(directory)) return;
  await makeFolder(dirname(directory));
  await mkdir(directory).catch((error: NodeJS.ErrnoException) => {
    // Another process may have made it.
    if (error.code !== 'EEXIST') throw error;
  });
}

/** Says of an error of the file system which run directory it is about, and what to do. */
async function naming<T>(path: string, remedy: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (!code) throw error;
    throw new Error(`The run directory '${path}' cannot be written (${message}). ${remedy}`, {
      cause: error,
    });
  }
}

async function clear(directory: string, force: boolean): Promise<void> {
  if (!force) return refuseFilled(directory);
  for (const entry of entriesOf(directory).filter((name) => OWN_ENTRIES.test(name))) {
    await rm(join(directory, entry), { recursive: true, force: true });
  }
}

async function refuseFilled(directory: string): Promise<void> {
  if (entriesOf(directory).length === 0) return;
  const command = await resumableCommandOf(directory);
  const state = command
    ? `already holds a run. Go on with it by: secateur ${command} --resume '${directory}'; or choose`
    : `${isRun(directory) ? 'already holds a run' : 'is not empty, and holds no run of secateur'}. Choose`;
  throw new Error(`'${directory}' ${state} another folder with --out, or replace it with --force.`);
}

function entriesOf(directory: string): string[] {
  return readdirSync(directory).filter((name) => name !== LOCK && !isTemporary(name));
}

/** undefined where there is nothing to go on with. */
async function resumableCommandOf(directory: string): Promise<ResumableCommand | undefined> {
  if (!isRun(directory)) return undefined;
  try {
    const { command } = JSON.parse(await readFile(join(directory, CONFIG), 'utf8')) as { command?: unknown };
    return isResumable(command) ? command : undefined;
  } catch {
    return undefined;
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
