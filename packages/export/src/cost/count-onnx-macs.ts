import type { onnx as Onnx } from 'onnx-proto';
import { checkModel } from '../check/check-onnx.ts';
import { NodeAttributes } from '../check/node-attributes.ts';
import type { Dim } from '../check/value-type.ts';
import { loadModel, type OnnxSource } from '../runtime/load-model.ts';

/** What one node of an ONNX graph computes for one image. */
export interface NodeCost {
  readonly name: string;
  readonly opType: string;
  /** Multiply-accumulates, biases not counted. */
  readonly macs: number;
  /** Channels or features that the node reads and writes, of all groups together. */
  readonly inputs: number;
  readonly filters: number;
  readonly group: number;
}

export interface GraphCost {
  readonly macs: number;
  /** Of every convolution and matrix product, in the order in which they compute. */
  readonly nodes: readonly NodeCost[];
}

type Counted = Pick<NodeCost, 'macs' | 'inputs' | 'filters' | 'group'>;
type Rule = (node: Onnx.INodeProto, dimsOf: (name: string | undefined) => readonly number[]) => Counted;

const rules: Readonly<Record<string, Rule>> = {
  Conv(node, dimsOf) {
    const [filters, perGroup, ...window] = dimsOf(node.input![1]) as [number, number, ...number[]];
    const group = new NodeAttributes(node).int('group', 1);
    const positions = dimsOf(node.output![0]).slice(2);
    return { macs: product([filters, perGroup, ...window, ...positions]), inputs: perGroup * group, filters, group };
  },
  ConvTranspose(node, dimsOf) {
    const [inputs, perGroup, ...window] = dimsOf(node.input![1]) as [number, number, ...number[]];
    const group = new NodeAttributes(node).int('group', 1);
    const positions = dimsOf(node.input![0]).slice(2);
    return { macs: product([inputs, perGroup, ...window, ...positions]), inputs, filters: perGroup * group, group };
  },
  Gemm(node, dimsOf) {
    const [rows, filters] = dimsOf(node.output![0]) as [number, number];
    const weight = product(dimsOf(node.input![1]));
    return { macs: rows * weight, inputs: weight / filters, filters, group: 1 };
  },
  MatMul(node, dimsOf) {
    const inputs = dimsOf(node.input![0]).at(-1)!;
    const output = dimsOf(node.output![0]);
    return { macs: product(output) * inputs, inputs, filters: output.at(-1)!, group: 1 };
  },
};

/**
 * Counts the multiply-accumulates of an ONNX file's convolutions and matrix products for one image, from the shapes in the graph; other
 * operators count as none. Quantised files count as their float32 originals.
 *
 * @throws Error when the file is not valid, or a size that matters cannot be known.
 */
export async function countOnnxMacs(source: OnnxSource): Promise<GraphCost> {
  const model = await loadModel(source);
  const values = checkModel(model);
  const constants = new Set(model.graph!.initializer!.map(({ name }) => name));
  const image = model.graph!.input!.find(({ name }) => !constants.has(name));
  const batch = values.get(image?.name ?? '')?.dims?.[0];
  const isBatch = (value: string | undefined, dim: Dim) =>
    !constants.has(value) && (typeof dim !== 'number' || dim === batch);
  const sizesOf = (value: string | undefined, node: string): number[] => {
    const dims = values.get(value ?? '')?.dims;
    const sizes = dims?.map((dim, axis) => (axis === 0 && isBatch(value, dim) ? 1 : dim));
    if (sizes?.every((size) => typeof size === 'number')) return sizes;
    throw new Error(
      `Expected sizes of '${value}' at node '${node}' that are fixed but for the batch; they cannot be known.`,
    );
  };
  const nodes = model.graph!.node!.flatMap((node): NodeCost[] => {
    const rule = rules[node.opType ?? ''];
    const name = node.name || node.output![0]!;
    return rule ? [{ name, opType: node.opType!, ...rule(node, (value) => sizesOf(value, name)) }] : [];
  });
  return { macs: nodes.reduce((sum, { macs }) => sum + macs, 0), nodes };
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((size, factor) => size * factor, 1);
}
