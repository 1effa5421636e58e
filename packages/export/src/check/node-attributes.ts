import type { onnx as Onnx } from 'onnx-proto';
import { onnx } from '../graph/proto.ts';

const { AttributeType } = onnx.AttributeProto;

export type AttributeKind = 'int' | 'ints' | 'float' | 'floats' | 'string' | 'strings' | 'tensor';

const kinds = new Map<number, AttributeKind>([
  [AttributeType.INT, 'int'],
  [AttributeType.INTS, 'ints'],
  [AttributeType.FLOAT, 'float'],
  [AttributeType.FLOATS, 'floats'],
  [AttributeType.STRING, 'string'],
  [AttributeType.STRINGS, 'strings'],
  [AttributeType.TENSOR, 'tensor'],
]);

/** The attributes of a node, read by name. */
export class NodeAttributes {
  readonly #byName: ReadonlyMap<string, Onnx.IAttributeProto>;

  constructor(node: Onnx.INodeProto) {
    this.#byName = new Map((node.attribute ?? []).map((attribute) => [attribute.name ?? '', attribute]));
  }

  get names(): readonly string[] {
    return [...this.#byName.keys()];
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  /** undefined for kinds that no operator of this check has, such as graphs. */
  kindOf(name: string): AttributeKind | undefined {
    return kinds.get(this.#byName.get(name)?.type ?? 0);
  }

  int(name: string, fallback: number): number {
    const attribute = this.#byName.get(name);
    return attribute ? Number(String(attribute.i ?? 0)) : fallback;
  }

  ints(name: string): number[] | undefined {
    return this.#byName.get(name)?.ints?.map((value) => Number(String(value)));
  }

  string(name: string, fallback: string): string {
    const attribute = this.#byName.get(name);
    return attribute ? new TextDecoder().decode(attribute.s ?? new Uint8Array()) : fallback;
  }

  tensor(name: string): Onnx.ITensorProto | undefined {
    return this.#byName.get(name)?.t ?? undefined;
  }
}
