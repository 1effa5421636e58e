import type { AttributeKind, NodeAttributes } from './node-attributes.ts';
import { type Dim, describeDims, floatTypes, mayBeEqual, type ValueType } from './value-type.ts';

/** A value's type, and its contents where they are whole numbers that can be known: shapes, axes, pads. */
export interface Inferred extends ValueType {
  readonly contents?: readonly Dim[] | undefined;
}

/** A node as the operator's rule sees it. */
export interface NodeView {
  /** In order; undefined for an optional input that was left out. */
  readonly inputs: readonly (Inferred | undefined)[];
  readonly outputs: number;
  readonly attributes: NodeAttributes;
  readonly opset: number;
}

export interface AttributeRule {
  readonly kind: AttributeKind;
  readonly required?: boolean;
  /** First and last opset that have it. */
  readonly since?: number;
  readonly until?: number;
}

export type InputCount = readonly [least: number, most: number];

/** What the ONNX specification says about an operator. */
export interface Operator {
  /** First opset that has it, where that is above 7. */
  readonly since?: number;
  readonly inputs: InputCount | ((opset: number) => InputCount);
  /** Most outputs. Default 1. */
  readonly outputs?: number;
  readonly attributes?: Readonly<Record<string, AttributeKind | AttributeRule>>;
  /** @throws Error when types, shapes or contents contradict the specification. */
  infer(node: NodeView): Inferred | readonly Inferred[];
}

export type Operators = Readonly<Record<string, Operator>>;

/** An input that the operator cannot do without; its presence was checked before. */
export function input(node: NodeView, index: number): Inferred {
  return node.inputs[index] ?? { type: undefined, dims: undefined };
}

/** The one type that all these inputs must have. */
export function commonType(node: NodeView, indices: readonly number[] = [...node.inputs.keys()]): string | undefined {
  const types = new Set(indices.flatMap((index) => node.inputs[index]?.type ?? []));
  if (types.size > 1) throw new Error(`takes inputs of one type, but they are ${[...types].join(' and ')}`);
  return [...types][0];
}

export function floatType(node: NodeView, indices?: readonly number[]): string | undefined {
  const type = commonType(node, indices);
  if (type !== undefined && !floatTypes.has(type)) throw new Error(`takes floating point numbers, but gets ${type}`);
  return type;
}

/** The sizes of input `index`, which must have this many axes; undefined when nothing is known. */
export function dimsOfRank(node: NodeView, index: number, rank: number): readonly Dim[] | undefined {
  const { dims } = input(node, index);
  if (dims && dims.length !== rank) {
    throw new Error(`takes ${rank} axes at input ${index}, but gets ${describeDims(dims)}`);
  }
  return dims;
}

/** Fails unless input `index`, if given, may have this shape. */
export function expectDims(node: NodeView, index: number, expected: readonly Dim[]): void {
  const dims = node.inputs[index]?.dims;
  if (!dims) return;
  if (dims.length !== expected.length || dims.some((dim, axis) => !mayBeEqual(dim, expected[axis]))) {
    throw new Error(`takes ${describeDims(expected)} at input ${index}, but gets ${describeDims(dims)}`);
  }
}

/** An axis, counted from the end where negative; `most` is the largest that is allowed. */
export function axisOf(axis: number, rank: number, most = rank - 1): number {
  const counted = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(counted) || counted < 0 || counted > most) {
    throw new Error(`has axis ${axis} of ${rank} axes`);
  }
  return counted;
}

/** The contents of input `index` if all are numbers. */
export function numbers(node: NodeView, index: number): readonly number[] | undefined {
  const contents = node.inputs[index]?.contents;
  return contents?.every((value) => typeof value === 'number') ? (contents as number[]) : undefined;
}
