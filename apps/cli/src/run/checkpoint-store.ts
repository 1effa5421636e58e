import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { removeTemporaries, writeFileAtomically } from './files.ts';
import { decodeState, encodeState, StateFileError } from './state-file.ts';

/** What a state belongs to: whatever must be the same for going on to make sense, in plain strings. */
export type StateIdentity = Readonly<Record<string, string>>;

export interface StoredCheckpoint<State> {
  readonly file: string;
  readonly state: State;
}

/** A file that cannot be gone on from, and why. */
export interface UnusableCheckpoint {
  readonly file: string;
  readonly reason: string;
}

export interface FoundCheckpoint<State> extends StoredCheckpoint<State> {
  /** Younger ones that were passed over. */
  readonly unusable: readonly UnusableCheckpoint[];
}

const NAME = /^state-(\d{6,})\.bin$/;

/**
 * The states of one run in a folder, of which the last two are kept. A state appears whole or not at all: it is written to
 * a temporary name, synced, and renamed, with a checksum. Files that were found unusable are left alone.
 *
 * States are plain data with Float32Arrays in it, such as TrainingState and PruningState of `@secateur/core`. One process
 * at a time may use a folder.
 */
export class CheckpointStore<State> {
  readonly #folder: string;
  readonly #identity: StateIdentity;
  /** Files known to be good, the oldest first. */
  #good: string[] = [];
  #next = 1;

  private constructor(folder: string, identity: StateIdentity) {
    this.#folder = folder;
    this.#identity = identity;
  }

  /**
   * @param identity States that were written with another one are refused.
   * @throws Error when the folder cannot be read or made.
   */
  static async open<State>(
    folder: string,
    { identity = {} }: { readonly identity?: StateIdentity } = {},
  ): Promise<CheckpointStore<State>> {
    const store = new CheckpointStore<State>(folder, identity);
    await mkdir(folder, { recursive: true });
    await removeTemporaries(folder);
    store.#next = Math.max(0, ...(await store.#numbers())) + 1;
    return store;
  }

  /**
   * Writes a state, then removes all good ones but this and the one before.
   *
   * @returns The file's path.
   * @throws Error when it cannot be written, for example on a full disk; the former ones are then as they were.
   */
  async write(state: State): Promise<string> {
    const file = join(this.#folder, `state-${String(this.#next).padStart(6, '0')}.bin`);
    await writeFileAtomically(file, encodeState({ identity: this.#identity, state }));
    this.#next++;
    this.#good.push(file);
    while (this.#good.length > 2) await rm(this.#good.shift()!, { force: true });
    return file;
  }

  /**
   * The youngest state that can be gone on from; undefined when there is no file at all.
   *
   * @throws Error saying of every file why it cannot be used, when there are some but none can.
   */
  async latest(): Promise<FoundCheckpoint<State> | undefined> {
    const numbers = (await this.#numbers()).sort((a, b) => b - a);
    const files = numbers.map((number) => join(this.#folder, `state-${String(number).padStart(6, '0')}.bin`));
    const unusable: UnusableCheckpoint[] = [];
    for (const [index, file] of files.entries()) {
      try {
        const state = await this.#read(file);
        // Whether older ones are good is not known: they stay until two younger ones have been written.
        this.#good = [...files.slice(index + 1).reverse(), file];
        return { file, state, unusable };
      } catch (error) {
        unusable.push({ file, reason: (error as Error).message });
      }
    }
    if (unusable.length === 0) return undefined;
    throw new Error(
      `No checkpoint can be gone on from: ${unusable.map(({ file, reason }) => `'${file}' ${reason}`).join('; ')}.`,
    );
  }

  /** Removes all states. */
  async clear(): Promise<void> {
    for (const name of await readdir(this.#folder)) if (NAME.test(name)) await rm(join(this.#folder, name));
    this.#good = [];
  }

  async #read(file: string): Promise<State> {
    const { identity, state } = decodeState(await readFile(file)) as { identity: StateIdentity; state: State };
    const [different] = Object.keys(this.#identity).filter((key) => identity[key] !== this.#identity[key]);
    if (different) throw new StateFileError(`was made with another ${different}`);
    return state;
  }

  async #numbers(): Promise<number[]> {
    return (await readdir(this.#folder)).flatMap((name) => NAME.exec(name)?.[1] ?? []).map(Number);
  }
}
