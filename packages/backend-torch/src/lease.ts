import type { Handle } from './binding.ts';

/** A native tensor that somebody beside its owner still needs: it stays alive, and unchanged, until the last holder lets go. */
export class Lease {
  readonly handle: Handle;
  readonly shape: readonly number[];
  /** Tells values apart: the same serial means the same values. */
  readonly serial: number;
  readonly #onEnd: () => void;
  #holders = 1;

  constructor(handle: Handle, { shape, serial, onEnd }: LeaseOptions) {
    this.handle = handle;
    this.shape = shape;
    this.serial = serial;
    this.#onEnd = onEnd;
  }

  retain(): Lease {
    this.#holders++;
    return this;
  }

  release(): void {
    if (--this.#holders === 0) this.#onEnd();
  }
}

export interface LeaseOptions {
  readonly shape: readonly number[];
  readonly serial: number;
  readonly onEnd: () => void;
}
