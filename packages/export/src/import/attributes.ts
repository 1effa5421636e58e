import type { onnx as Onnx } from 'onnx-proto';

/** The attributes of a node, each read as what the operator says it is. */
export class Attributes {
  readonly #entries: ReadonlyMap<string, Onnx.IAttributeProto>;

  constructor(attributes: readonly Onnx.IAttributeProto[]) {
    this.#entries = new Map(attributes.map((attribute) => [attribute.name ?? '', attribute]));
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  float(name: string, fallback: number): number {
    const value = this.#entries.get(name)?.f ?? fallback;
    if (!Number.isFinite(value)) throw new Error(`has ${value} for '${name}'; expected a finite number`);
    return shortest(value);
  }

  integer(name: string, fallback: number): number {
    const entry = this.#entries.get(name);
    return entry ? exact(entry.i, name) : fallback;
  }

  /** undefined when the node does not say. */
  integers(name: string): number[] | undefined {
    return this.#entries.get(name)?.ints?.map((value) => exact(value, name));
  }

  floats(name: string): number[] | undefined {
    return this.#entries.get(name)?.floats ?? undefined;
  }

  text(name: string, fallback: string): string {
    const bytes = this.#entries.get(name)?.s;
    return bytes ? new TextDecoder().decode(bytes) : fallback;
  }

  tensor(name: string): Onnx.ITensorProto | undefined {
    return this.#entries.get(name)?.t ?? undefined;
  }

  /** Two sizes, such as strides: whole numbers from `least` on. */
  pair(name: string, { least, fallback }: { least: number; fallback: readonly [number, number] }): [number, number] {
    const values = this.integers(name) ?? [...fallback];
    if (values.length !== 2 || values.some((value) => value < least || value > LARGEST_SIZE)) {
      throw new Error(
        `has [${values.slice(0, 8)}] for '${name}'; expected two integers of at least ${least}, as for images`,
      );
    }
    return values as [number, number];
  }
}

/** Files hold float32: the shortest number that is stored as this one, 0.9 for 0.8999999761581421. */
function shortest(value: number): number {
  const candidates = [6, 7, 8, 9].map((digits) => Number(value.toPrecision(digits)));
  return candidates.find((candidate) => Math.fround(candidate) === Math.fround(value)) ?? value;
}

const LARGEST_SIZE = 2 ** 20;

function exact(value: unknown, name: string): number {
  const number = Number(String(value));
  if (Number.isNaN(number)) throw new Error(`has no integer for '${name}'`);
  return number;
}
