import type { onnx as Onnx } from 'onnx-proto';
import { checkModel, opsetOf } from '../check/check-onnx.ts';
import { NodeAttributes } from '../check/node-attributes.ts';
import { sizesOf } from '../check/value-type.ts';
import { onnx } from '../graph/proto.ts';
import { loadModel, type OnnxSource } from '../runtime/load-model.ts';
import { batchesOf, countOf, type NetworkInputs } from '../runtime/network-inputs.ts';
import { calibrate, type Range, type RangeRule } from './calibrate.ts';
import { floatsOf, GraphEditor, intAttribute, isFloat32 } from './graph-editor.ts';

const { FLOAT, INT8, INT32, UINT8 } = onnx.TensorProto.DataType;

/** Real images, standardised, channels last, as the network takes them; a few hundred of all classes are enough. */
export type QuantiseOptions = NetworkInputs & {
  /** Images at a time. Default 32. */
  readonly batchSize?: number;
  /**
   * Which range of each activation the 256 steps cover. Default `min-max`: everything that the images showed. A percentile such as
   * 99.99 leaves out rare outliers, for finer steps.
   */
  readonly range?: RangeRule;
  /**
   * Bits of a weight. Default 8. With 7, sums of two products fit into 16 bits, which older processors (x64 without VNNI) need to
   * compute exactly.
   */
  readonly weightBits?: 7 | 8;
  /** Names of nodes that stay in float32, such as the first convolution. */
  readonly keep?: readonly string[];
};

/** Which axis of the weight counts the filters: the one that each scale belongs to. */
const filterAxis: Readonly<Record<string, (node: Onnx.INodeProto) => number>> = {
  Conv: () => 0,
  Gemm: (node) => (new NodeAttributes(node).int('transB', 0) === 1 ? 0 : 1),
};

/** First operator set whose QuantizeLinear takes a scale for each place along an axis. */
const PER_FILTER_SINCE = 13;

/** Operators that onnxruntime has in int8 too, so that what lies between two convolutions need not be widened. */
const joining = new Set(['Add', 'AveragePool', 'GlobalAveragePool', 'Concat']);

/** They move values without changing them: what comes out has the range of what went in. */
const moving = new Set(['MaxPool', 'Flatten', 'Reshape', 'Transpose']);

/** onnxruntime computes these in the step before, when nothing else reads it: rounding to uint8 clips as they do. */
const clipping = new Set(['Relu', 'Clip']);

/**
 * Writes an ONNX model whose convolutions and dense layers compute in int8: weights symmetric with a scale for each filter,
 * activations in uint8 with a scale and a zero point for each tensor, from the ranges that real images show
 * (static quantisation). The file says so by pairs of QuantizeLinear and DequantizeLinear, which onnxruntime fuses with the operators
 * between them. Logits stay float32.
 *
 * @throws Error when the model is not valid or is quantised already, has no layer to quantise, or the images do not fit.
 */
export async function quantise(source: OnnxSource, options: QuantiseOptions): Promise<Uint8Array> {
  const { batchSize = 32, range = 'min-max', weightBits = 8, keep = [] } = options;
  checkOptions({ batchSize, range, weightBits });
  const batches = batchesOf(options);
  const model = await loadModel(source);
  const values = checkModel(model);
  if (opsetOf(model) < PER_FILTER_SINCE) {
    throw new Error(
      `Expected a model of operator set ${PER_FILTER_SINCE} or newer, where each filter may have a scale of its own, but it is of ${opsetOf(model)}. Export it with a newer one.`,
    );
  }
  const editor = new GraphEditor(model);
  const original = editor.encode();
  const chosen = choose(editor, keep);
  // Preprocessing inside the graph moves pixels that are integers already.
  const tensors = [...tensorsAround(editor, chosen)].filter((name) => values.get(name)?.type === 'float32');
  const ranges = await calibrate(original, tensors, { batches, batchSize, rule: range });
  shareRanges(editor, ranges);

  const scales = new Map<string, number>();
  for (const [tensor, found] of ranges) scales.set(tensor, quantiseActivation(editor, tensor, found));
  const levels = 2 ** (weightBits - 1) - 1;
  for (const node of chosen) if (node.opType! in filterAxis) quantiseWeights(editor, node, { scales, levels });
  editor.dropUnread();
  editor.graph.valueInfo = [];
  editor.disownAccuracy();
  editor.note('precision', 'int8');
  editor.note('calibration', JSON.stringify({ images: countOf(batches), range, weightBits }));
  checkModel(model);
  return editor.encode();
}

/** The nodes that shall compute in int8. */
function choose(editor: GraphEditor, keep: readonly string[]): Onnx.INodeProto[] {
  if (editor.nodes.some(({ opType }) => opType === 'QuantizeLinear')) {
    throw new Error(
      'Expected a float32 model, but this one is quantised; quantise the float32 export it was made from.',
    );
  }
  const names = new Set(editor.nodes.map(({ name }) => name));
  const absent = keep.filter((name) => !names.has(name));
  if (absent.length > 0)
    throw new Error(`Expected names of nodes in 'keep', but the model has none called ${absent.join(', ')}.`);
  const isConstant = (name: string) => editor.constant(name) !== undefined;
  const chosen = editor.nodes.filter((node) => {
    if (keep.includes(node.name!)) return false;
    const [, weight] = node.input!;
    if (node.opType! in filterAxis) return weight !== undefined && isFloatConstant(editor, weight);
    return (
      (joining.has(node.opType!) || moving.has(node.opType!)) &&
      !node.input!.slice(0, 2).every(isConstant) &&
      !(joining.has(node.opType!) && node.input!.some(isConstant))
    );
  });
  if (!chosen.some(({ opType }) => opType! in filterAxis)) {
    throw new Error(
      'Expected a model with convolutions or dense layers whose weights are float32, but it has none to quantise.',
    );
  }
  return chosen;
}

function isFloatConstant(editor: GraphEditor, name: string): boolean {
  const tensor = editor.constant(name);
  return tensor !== undefined && isFloat32(tensor);
}

/** What these nodes read and write, behind the clipping that follows; not the model's own outputs. */
function tensorsAround(editor: GraphEditor, nodes: readonly Onnx.INodeProto[]): Set<string> {
  const outputs = new Set(editor.outputs);
  const tensors = new Set<string>();
  for (const node of nodes) {
    const operands = joining.has(node.opType!) ? node.input! : node.input!.slice(0, 1);
    for (const operand of operands) tensors.add(operand);
    const written = behindClipping(editor, node.output![0]!);
    if (!outputs.has(written)) tensors.add(written);
  }
  // A value that only clipping reads is never rounded itself.
  for (const tensor of [...tensors]) if (behindClipping(editor, tensor) !== tensor) tensors.delete(tensor);
  return tensors;
}

function behindClipping(editor: GraphEditor, value: string): string {
  const readers = editor.consumersOf(value);
  const [reader] = readers;
  return readers.length === 1 && clipping.has(reader!.opType!) && !editor.outputs.includes(value)
    ? behindClipping(editor, reader!.output![0]!)
    : value;
}

/** Scales on both sides of a node that only moves values must be the same, or the values would have to be rounded again. */
function shareRanges(editor: GraphEditor, ranges: Map<string, Range>): void {
  for (const { opType, input, output } of editor.nodes) {
    const range = moving.has(opType!) ? ranges.get(input![0]!) : undefined;
    if (range && ranges.has(output![0]!)) ranges.set(output![0]!, range);
  }
}

/** Rounds a value where it is written; whoever read it reads the rounded one. Returns the scale. */
function quantiseActivation(editor: GraphEditor, tensor: string, { least, most }: Range): number {
  const scale = Math.fround((most - least) / 255) || 1;
  const zeroPoint = Math.min(255, Math.max(0, Math.round(-least / scale)));
  const readers = editor.consumersOf(tensor);
  const parameters = [
    editor.addConstant(`${tensor}/scale`, FLOAT, Float32Array.of(scale), []),
    editor.addConstant(`${tensor}/zero_point`, UINT8, Uint8Array.of(zeroPoint), []),
  ];
  const [stored, widened] = [editor.unique(`${tensor}/quantize`), editor.unique(`${tensor}/dequantize`)];
  editor.redirect(readers, tensor, widened);
  editor.insertBehind(tensor, [
    { name: stored, opType: 'QuantizeLinear', input: [tensor, ...parameters], output: [stored] },
    { name: widened, opType: 'DequantizeLinear', input: [stored, ...parameters], output: [widened] },
  ]);
  return scale;
}

/** A sum of products and a bias must stay well inside of 32 bits. */
const LARGEST_BIAS = 2 ** 30;

function quantiseWeights(
  editor: GraphEditor,
  node: Onnx.INodeProto,
  { scales, levels }: { scales: ReadonlyMap<string, number>; levels: number },
): void {
  const [data, weight, bias] = node.input as [string, string, string?];
  const dataScale = scales.get(widenedFrom(editor, data))!;
  const tensor = editor.constant(weight)!;
  const axis = filterAxis[node.opType!]!(node);
  const biasTensor = bias ? editor.constant(bias) : undefined;
  const biases =
    biasTensor && isFloat32(biasTensor) && sizesOf(biasTensor).length === 1 ? floatsOf(biasTensor) : undefined;
  const { values, perFilter } = scaled(floatsOf(tensor), sizesOf(tensor), { axis, levels, dataScale, biases });
  node.input![1] = widening(editor, weight, { type: INT8, values, dims: sizesOf(tensor), scales: perFilter, axis });
  if (!bias || !biases) return;
  const products = perFilter.map((scale) => scale * dataScale);
  const rounded = Int32Array.from(biases, (value, filter) => Math.round(value / products[filter]!));
  node.input![2] = widening(editor, bias, {
    type: INT32,
    values: rounded,
    dims: [rounded.length],
    scales: products,
    axis: 0,
  });
}

/** The value whose rounded form this is. */
function widenedFrom(editor: GraphEditor, widened: string): string {
  return editor.producerOf(editor.producerOf(widened)!.input![0]!)!.input![0]!;
}

function scaled(
  weights: Float32Array,
  dims: readonly number[],
  {
    axis,
    levels,
    dataScale,
    biases,
  }: { axis: number; levels: number; dataScale: number; biases: Float32Array | undefined },
): { values: Int8Array; perFilter: Float32Array } {
  const filters = dims[axis]!;
  const stride = dims.slice(axis + 1).reduce((product, size) => product * size, 1);
  const filterOf = (place: number) => Math.floor(place / stride) % filters;
  const largest = new Float32Array(filters);
  weights.forEach((weight, place) => {
    largest[filterOf(place)] = Math.max(largest[filterOf(place)]!, Math.abs(weight));
  });
  const perFilter = largest.map((size, filter) => {
    const forBias = Math.abs(biases?.[filter] ?? 0) / (LARGEST_BIAS * dataScale);
    return Math.max(size / levels, forBias) || 1;
  });
  const values = Int8Array.from(weights, (weight, place) => Math.round(weight / perFilter[filterOf(place)]!));
  return { values, perFilter };
}

/** Stores numbers as integers, and widens them where they are read. */
function widening(
  editor: GraphEditor,
  name: string,
  {
    type,
    values,
    dims,
    scales,
    axis,
  }: { type: number; values: Int8Array | Int32Array; dims: readonly number[]; scales: Float32Array; axis: number },
): string {
  const zeros = type === INT8 ? new Int8Array(scales.length) : new Int32Array(scales.length);
  const inputs = [
    editor.addConstant(`${name}/quantized`, type, values, dims),
    editor.addConstant(`${name}/scale`, FLOAT, scales, [scales.length]),
    editor.addConstant(`${name}/zero_point`, type, zeros, [scales.length]),
  ];
  const widened = editor.unique(`${name}/dequantize`);
  editor.nodes.unshift({
    name: widened,
    opType: 'DequantizeLinear',
    input: inputs,
    output: [widened],
    attribute: [intAttribute('axis', axis)],
  });
  return widened;
}

function checkOptions({
  batchSize,
  range,
  weightBits,
}: Required<Pick<QuantiseOptions, 'batchSize' | 'range' | 'weightBits'>>): void {
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new Error(`Expected batchSize to be a positive integer, but got ${batchSize}.`);
  }
  if (weightBits !== 7 && weightBits !== 8) throw new Error(`Expected weightBits to be 7 or 8, but got ${weightBits}.`);
  if (range !== 'min-max' && !(range.percentile > 50 && range.percentile <= 100)) {
    throw new Error(`Expected a percentile above 50 and at most 100, such as 99.99, but got ${range.percentile}.`);
  }
}
