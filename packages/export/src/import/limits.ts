/** What an ONNX file may ask for. A file that asks for more is refused before memory is spent on it. */
export interface ImportLimits {
  /** Bytes of the file and of its external data together. Default 2^30. */
  readonly bytes: number;
  /** Nodes of the graph. Default 10,000. */
  readonly nodes: number;
  /** Nodes, and layers, on the longest way from the input to the output. Default 1,500. */
  readonly depth: number;
  /** Values of a tensor for one image, and sizes of an axis. Default 2^28. */
  readonly values: number;
}

export const DEFAULT_LIMITS: ImportLimits = { bytes: 2 ** 30, nodes: 10_000, depth: 1_500, values: 2 ** 28 };

/** @throws Error when a limit is not a positive integer. */
export function resolveLimits(limits: Partial<ImportLimits>): ImportLimits {
  const resolved = { ...DEFAULT_LIMITS, ...limits };
  for (const [name, limit] of Object.entries(resolved)) {
    if (!Number.isSafeInteger(limit) || limit < 1) {
      throw new Error(`Expected the limit '${name}' to be a positive integer, but got ${limit}.`);
    }
  }
  return resolved;
}

/**
 * Counts the bytes that are read and the values that are computed from them: reordered kernels, folded constants. Both stay in
 * proportion to the file, so that a small file cannot ask for much memory or time.
 */
export class Budget {
  readonly #maxBytes: number;
  #bytes = 0;
  #values = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** @throws Error when the file and its external data are larger than the limit. */
  read(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > this.#maxBytes) {
      throw new Error(
        `Expected a model of at most ${this.#maxBytes} bytes, but this one has ${this.#bytes} or more. If you trust the file, raise limits.bytes.`,
      );
    }
  }

  /** @throws Error when more is computed than a file of this size has reason for. */
  compute(values: number): void {
    this.#values += values;
    const allowed = 2 ** 20 + 2 * this.#bytes;
    if (!(this.#values <= allowed)) {
      throw new Error(
        `asks for more than ${allowed} weights and constants in all, far more than a file of ${this.#bytes} bytes should`,
      );
    }
  }
}
