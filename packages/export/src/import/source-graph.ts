import type { onnx as Onnx } from 'onnx-proto';
import type { ExternalData } from '../external-data/external-data.ts';
import { onnx } from '../graph/proto.ts';
import { printable, quote } from '../quote.ts';
import { Attributes } from './attributes.ts';
import type { Constant } from './constant.ts';
import type { ImportLimits } from './limits.ts';
import { readTensor } from './read-tensor.ts';

/** A node of the file. */
export interface SourceNode {
  readonly name: string;
  /** With the domain in front where that is not ONNX's own. */
  readonly opType: string;
  /** Names of values; '' for an optional input that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Attributes;
}

/** What a file computes from its one input to the chosen output. */
export interface SourceGraph {
  readonly name: string;
  readonly opset: number;
  readonly input: {
    readonly name: string /** undefined: left open. */;
    readonly dims: readonly (number | undefined)[];
  };
  readonly output: string;
  /** Only those that the output needs, each after those that it reads. */
  readonly nodes: readonly SourceNode[];
  /** Reads an initialiser; undefined when there is none of that name. */
  readonly constant: (name: string) => Constant | undefined;
  readonly isInitialiser: (name: string) => boolean;
  /** How often each value is read; the graph's output counts as a reader. */
  readonly readers: ReadonlyMap<string, number>;
}

interface ReadOptions {
  readonly limits: ImportLimits;
  readonly external: ExternalData;
  /** Needed when the file has several outputs. */
  readonly output?: string | undefined;
}

/**
 * Reads the part of the graph that the output needs, and checks that it is one: each value is made once, by something that is
 * there and does not depend on it.
 *
 * @throws Error when it is not, has no single image input, or is beyond a limit.
 */
export function readSourceGraph(model: Onnx.ModelProto, { limits, external, output }: ReadOptions): SourceGraph {
  const graph = model.graph!;
  const protos = graph.node ?? [];
  if (protos.length > limits.nodes) {
    throw new Error(
      `Expected at most ${limits.nodes} nodes, but the graph has ${protos.length}. If you trust the file, raise limits.nodes.`,
    );
  }
  const tensors = initialisers(graph);
  const nodes = protos.map(readNode);
  const input = findInput(graph, tensors);
  const chosen = findOutput(graph, output);
  const sorted = sort(nodes, chosen, { known: new Set([input.name, ...tensors.keys()]), maxDepth: limits.depth });
  const cache = new Map<string, Constant>();
  const readers = new Map([[chosen, 1]]);
  for (const name of sorted.flatMap(({ inputs }) => inputs)) readers.set(name, (readers.get(name) ?? 0) + 1);
  return {
    name: graph.name ?? '',
    opset: opsetOf(model),
    input,
    output: chosen,
    nodes: sorted,
    readers,
    isInitialiser: (name) => tensors.has(name),
    constant(name) {
      const tensor = tensors.get(name);
      if (tensor && !cache.has(name)) cache.set(name, readTensor(tensor, external));
      return cache.get(name);
    },
  };
}

function initialisers({ initializer, sparseInitializer }: Onnx.IGraphProto): Map<string, Onnx.ITensorProto> {
  if (sparseInitializer?.length) throw new Error('The graph has sparse initialisers; expected dense ones.');
  const tensors = new Map<string, Onnx.ITensorProto>();
  for (const tensor of initializer ?? []) {
    const name = tensor.name ?? '';
    if (tensors.has(name)) throw new Error(`The graph has two initialisers named ${quote(name)}.`);
    tensors.set(name, tensor);
  }
  return tensors;
}

function readNode({ name, opType, domain, input, output, attribute }: Onnx.INodeProto, index: number): SourceNode {
  const isStandard = !domain || domain === 'ai.onnx';
  const type = opType ?? '';
  return {
    name: name || `${type}_${index}`,
    opType: isStandard ? type : `${domain}.${type}`,
    inputs: input ?? [],
    outputs: output ?? [],
    attributes: new Attributes(attribute ?? []),
  };
}

function findInput(graph: Onnx.IGraphProto, tensors: ReadonlyMap<string, unknown>): SourceGraph['input'] {
  const inputs = (graph.input ?? []).filter(({ name }) => !tensors.has(name ?? ''));
  if (inputs.length !== 1) {
    throw new Error(
      `Expected a network with one input, but the graph has ${inputs.length}: ${inputs.map(({ name }) => quote(name ?? '')).join(', ')}.`,
    );
  }
  const [{ name, type }] = inputs as [Onnx.IValueInfoProto];
  const tensorType = type?.tensorType;
  const elementType = tensorType?.elemType ?? 0;
  if (!INPUT_TYPES.has(elementType)) {
    throw new Error(
      `Expected input ${quote(name ?? '')} to be a tensor of floating point numbers or uint8, but its type is ${onnx.TensorProto.DataType[elementType] ?? elementType}.`,
    );
  }
  const dims = (tensorType?.shape?.dim ?? []).map(({ dimValue, dimParam }) => {
    const size = Number(String(dimValue ?? 0));
    return dimParam || !Number.isSafeInteger(size) || size < 1 ? undefined : size;
  });
  return { name: name ?? '', dims };
}

const { FLOAT, FLOAT16, DOUBLE, BFLOAT16, UINT8 } = onnx.TensorProto.DataType;
const INPUT_TYPES: ReadonlySet<number> = new Set([FLOAT, FLOAT16, DOUBLE, BFLOAT16, UINT8]);

function findOutput(graph: Onnx.IGraphProto, wanted: string | undefined): string {
  const names = (graph.output ?? []).map(({ name }) => name ?? '');
  const list = names.map(quote).join(', ');
  if (wanted !== undefined) {
    if (!names.includes(wanted))
      throw new Error(`Expected output ${quote(wanted)}, but the graph has ${list || 'none'}.`);
    return wanted;
  }
  if (names.length !== 1) {
    throw new Error(
      `Expected a network with one output, but the graph has ${names.length}: ${list}. Name one in the option output.`,
    );
  }
  return names[0]!;
}

function opsetOf({ opsetImport }: Onnx.ModelProto): number {
  const version = Number(String(opsetImport.find(({ domain }) => !domain || domain === 'ai.onnx')?.version ?? 0));
  if (!(version >= 7)) {
    throw new Error(
      `Expected operator set 7 or newer, but the file uses ${version}. Export it again with a newer one.`,
    );
  }
  return version;
}

/** Kahn's algorithm over the nodes that the output needs. */
function sort(
  nodes: readonly SourceNode[],
  output: string,
  { known, maxDepth }: { known: ReadonlySet<string>; maxDepth: number },
): SourceNode[] {
  const producers = producersOf(nodes, known);
  const needed = neededFor(output, producers, known);
  const depths = new Map<SourceNode, number>();
  const waiting = new Map<SourceNode, number>();
  const consumers = new Map<SourceNode, SourceNode[]>();
  const ready: SourceNode[] = [];
  for (const node of nodes) {
    if (!needed.has(node)) continue;
    const sources = new Set(node.inputs.flatMap((name) => producers.get(name) ?? []));
    for (const source of sources) consumers.set(source, [...(consumers.get(source) ?? []), node]);
    waiting.set(node, sources.size);
    if (sources.size === 0) ready.push(node);
  }
  const sorted: SourceNode[] = [];
  for (let node = ready.pop(); node; node = ready.pop()) {
    sorted.push(node);
    const depth = (depths.get(node) ?? 0) + 1;
    if (depth > maxDepth) {
      throw new Error(
        `Expected at most ${maxDepth} nodes one behind the other, but the graph has more. If you trust the file, raise limits.depth.`,
      );
    }
    for (const consumer of consumers.get(node) ?? []) {
      depths.set(consumer, Math.max(depths.get(consumer) ?? 0, depth));
      const left = waiting.get(consumer)! - 1;
      waiting.set(consumer, left);
      if (left === 0) ready.push(consumer);
    }
  }
  if (sorted.length < needed.size) {
    const stuck = [...needed].find((node) => waiting.get(node)! > 0)!;
    throw new Error(
      `The graph has a cycle: node ${quote(stuck.name)} (${printable(stuck.opType)}) waits for its own output.`,
    );
  }
  return inFileOrder(sorted, nodes);
}

function producersOf(nodes: readonly SourceNode[], known: ReadonlySet<string>): Map<string, SourceNode> {
  const producers = new Map<string, SourceNode>();
  for (const node of nodes) {
    for (const name of node.outputs) {
      if (name === '') continue;
      if (producers.has(name) || known.has(name)) {
        throw new Error(`The value ${quote(name)} is made twice, the second time by node ${quote(node.name)}.`);
      }
      producers.set(name, node);
    }
  }
  return producers;
}

function neededFor(
  output: string,
  producers: ReadonlyMap<string, SourceNode>,
  known: ReadonlySet<string>,
): Set<SourceNode> {
  const needed = new Set<SourceNode>();
  const open = [{ name: output, reader: 'The graph has as its output' }];
  for (let next = open.pop(); next; next = open.pop()) {
    const { name, reader } = next;
    if (name === '' || known.has(name)) continue;
    const producer = producers.get(name);
    if (!producer) {
      throw new Error(`${reader} ${quote(name)}, which is no initialiser, no input and no node's output.`);
    }
    if (needed.has(producer)) continue;
    needed.add(producer);
    open.push(
      ...producer.inputs.map((input) => ({
        name: input,
        reader: `Node ${quote(producer.name)} (${printable(producer.opType)}) reads`,
      })),
    );
  }
  return needed;
}

/** As the file lists them where that is an order in which they can compute, so that layers come in a familiar order. */
function inFileOrder(sorted: SourceNode[], nodes: readonly SourceNode[]): SourceNode[] {
  const chosen = new Set(sorted);
  const listed = nodes.filter((node) => chosen.has(node));
  const made = new Set<string>();
  const all = new Set(listed.flatMap(({ outputs }) => outputs));
  const ordered = listed.every(({ inputs, outputs }) => {
    const fits = inputs.every((name) => made.has(name) || !all.has(name));
    for (const name of outputs) made.add(name);
    return fits;
  });
  return ordered ? listed : sorted;
}
