import { closeSync, constants, fstatSync, openSync, readSync, realpathSync } from 'node:fs';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import type { onnx as Onnx } from 'onnx-proto';
import { quote } from '../quote.ts';

/** One call reads less than 2^31 bytes. */
const MOST_AT_ONCE = 2 ** 30;

/** Counts bytes before they are read, and throws when they are too many. */
export interface ReadBudget {
  read(bytes: number): void;
}

/** Weights that lie in files beside the model. */
export class ExternalData {
  readonly #folder: string | undefined;
  readonly #budget: ReadBudget;

  /** `folder` is the model's own, undefined for a model that came as bytes. */
  constructor(folder: string | undefined, budget: ReadBudget) {
    this.#folder = folder;
    this.#budget = budget;
  }

  /**
   * @param expected Bytes that the tensor's shape asks for.
   * @throws Error when the file is not inside the model's folder, links included, is none, or holds fewer bytes.
   */
  read(tensor: Onnx.ITensorProto, expected: number): Uint8Array {
    return this.#open(tensor, expected, (descriptor, offset) => {
      this.#budget.read(expected);
      return readPart(descriptor, offset, expected);
    });
  }

  /** Throws as `read` does, and reads nothing: for programs that open the file by themselves. */
  check(tensor: Onnx.ITensorProto, expected: number): void {
    this.#open(tensor, expected, () => undefined);
  }

  #open<T>(tensor: Onnx.ITensorProto, expected: number, use: (descriptor: number, offset: number) => T): T {
    const name = `Tensor ${quote(tensor.name ?? '')}`;
    const entries = new Map((tensor.externalData ?? []).map(({ key, value }) => [key ?? '', value ?? '']));
    const offset = Number(entries.get('offset') ?? 0);
    const length = Number(entries.get('length') ?? expected);
    if (!Number.isSafeInteger(offset) || offset < 0 || length !== expected) {
      throw new Error(
        `${name} should be ${expected} bytes of an external file, but the model says length ${quote(entries.get('length') ?? '')} at offset ${quote(entries.get('offset') ?? '0')}.`,
      );
    }
    const file = this.#locate(entries.get('location') ?? '', name);
    try {
      return openPart(file, { offset, length: expected }, (descriptor) => use(descriptor, offset));
    } catch (cause) {
      throw new Error(
        `${name}: its external data ${quote(entries.get('location') ?? '')} cannot be read: ${(cause as Error).message}`,
        { cause },
      );
    }
  }

  #locate(location: string, name: string): string {
    if (this.#folder === undefined) {
      throw new Error(
        `${name} lies in the external file ${quote(location)}; give the model's path in place of its bytes.`,
      );
    }
    const outside = () =>
      new Error(
        `${name} names the external file ${quote(location)}; expected one inside the model's folder, because a model must not read others.`,
      );
    if (location === '' || location.includes('\0') || isAbsolute(location)) throw outside();
    const folder = realpathSync(this.#folder);
    if (!isInside(folder, resolve(folder, location))) throw outside();
    let file: string;
    try {
      file = realpathSync(resolve(folder, location));
    } catch {
      throw new Error(
        `${name} lies in the external file ${quote(location)}, which is not there; put it beside the model.`,
      );
    }
    if (!isInside(folder, file)) throw outside();
    return file;
  }
}

function isInside(folder: string, file: string): boolean {
  const way = relative(folder, file);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

function openPart<T>(
  file: string,
  { offset, length }: { offset: number; length: number },
  use: (descriptor: number) => T,
): T {
  // Opening a pipe would otherwise wait for a writer.
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) throw new Error('it is not a regular file');
    if (stats.size < offset + length) {
      throw new Error(`expected at least ${offset + length} bytes, but it has ${stats.size}`);
    }
    return use(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function readPart(descriptor: number, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const read = readSync(descriptor, bytes, done, Math.min(length - done, MOST_AT_ONCE), offset + done);
    if (read === 0) throw new Error('it was cut short while it was read');
    done += read;
  }
  return bytes;
}
