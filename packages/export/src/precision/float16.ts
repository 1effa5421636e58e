import type { onnx as Onnx } from 'onnx-proto';
import { checkModel } from '../check/check-onnx.ts';
import { sizesOf } from '../check/value-type.ts';
import { onnx } from '../graph/proto.ts';
import { loadModel, type OnnxSource } from '../runtime/load-model.ts';
import { LARGEST_FLOAT16, toFloat16Bits } from './float16-number.ts';
import { floatsOf, GraphEditor, intAttribute, isFloat32 } from './graph-editor.ts';

const { FLOAT, FLOAT16 } = onnx.TensorProto.DataType;

export interface Float16Options {
  /**
   * Whether everything between input and output is computed in float16. Default false: weights are stored in float16 and
   * widened once, when the file is loaded, and the network computes in float32.
   */
  readonly activations?: boolean;
}

/** Fewer numbers than this stay as they are: nothing is won. */
const WORTH_STORING = 16;

/** Inputs that operators take in float32 whatever their first input is. */
const alwaysFloat32: Readonly<Record<string, readonly number[]>> = { Resize: [1, 2] };

/**
 * Writes an ONNX model with float16 weights, half as large. Input and output stay what they are, float32.
 *
 * @throws Error when the model is not valid or quantised already, or has weights beyond 65504 (all are listed).
 */
export async function toFloat16(source: OnnxSource, { activations = false }: Float16Options = {}): Promise<Uint8Array> {
  const model = await loadModel(source);
  checkModel(model);
  const editor = new GraphEditor(model);
  if (editor.nodes.some(({ opType }) => opType === 'QuantizeLinear')) {
    throw new Error(
      'Expected a float32 model, but this one is quantised; convert the float32 export it was made from.',
    );
  }
  refuseLargeWeights(editor.graph.initializer!);
  if (activations) computeInFloat16(editor);
  else storeInFloat16(editor);
  editor.disownAccuracy();
  editor.note('precision', activations ? 'float16' : 'float16 weights');
  checkModel(model);
  return editor.encode();
}

function refuseLargeWeights(constants: readonly Onnx.ITensorProto[]): void {
  const large = constants
    .filter(isFloat32)
    .filter((tensor) => floatsOf(tensor).some((value) => Math.abs(value) > LARGEST_FLOAT16 && Number.isFinite(value)));
  if (large.length === 0) return;
  throw new Error(
    `Expected weights of at most ${LARGEST_FLOAT16}, the largest float16 number, but ${large.map(({ name }) => `'${name}'`).join(', ')} hold larger ones. Keep this model in float32.`,
  );
}

function storeInFloat16(editor: GraphEditor): void {
  const casts: Onnx.INodeProto[] = [];
  for (const tensor of editor.graph.initializer!.filter(isFloat32)) {
    if (sizesOf(tensor).reduce((product, size) => product * size, 1) < WORTH_STORING) continue;
    const name = tensor.name!;
    narrow(tensor);
    tensor.name = editor.unique(`${name}/float16`);
    casts.push(cast(editor, tensor.name, name, FLOAT));
  }
  editor.nodes.unshift(...casts);
}

function computeInFloat16(editor: GraphEditor): void {
  const kept = new Set(
    editor.nodes.flatMap(({ opType, input }) => (alwaysFloat32[opType!] ?? []).map((index) => input?.[index])),
  );
  for (const tensor of editor.graph.initializer!.filter(isFloat32)) if (!kept.has(tensor.name!)) narrow(tensor);
  for (const node of editor.nodes) {
    for (const attribute of node.attribute ?? []) {
      if (attribute.t && isFloat32(attribute.t) && !kept.has(node.output![0])) narrow(attribute.t);
      if (node.opType === 'Cast' && attribute.name === 'to' && Number(String(attribute.i)) === FLOAT)
        attribute.i = FLOAT16;
    }
  }
  editor.graph.valueInfo = [];
  for (const { name, type } of editor.graph.output!) {
    if (type?.tensorType?.elemType !== FLOAT) continue;
    const producer = editor.producerOf(name!);
    if (!producer) continue;
    const computed = editor.unique(`${name}/float16`);
    editor.redirect(editor.consumersOf(name!), name!, computed);
    producer.output = producer.output!.map((output) => (output === name ? computed : output));
    editor.insertBehind(computed, [cast(editor, computed, name!, FLOAT)]);
  }
  for (const { name, type } of editor.graph.input!) {
    if (type?.tensorType?.elemType !== FLOAT || editor.constant(name!)) continue;
    const readers = editor.consumersOf(name!);
    const narrowed = editor.unique(`${name}/float16`);
    editor.redirect(readers, name!, narrowed);
    editor.insertBehind(name!, [cast(editor, name!, narrowed, FLOAT16)]);
  }
}

function narrow(tensor: Onnx.ITensorProto): void {
  const bits = Uint16Array.from(floatsOf(tensor), toFloat16Bits);
  tensor.rawData = new Uint8Array(bits.buffer);
  tensor.floatData = [];
  tensor.dataType = FLOAT16;
}

function cast(editor: GraphEditor, from: string, to: string, type: number): Onnx.INodeProto {
  return {
    name: editor.unique(`${to}/cast`),
    opType: 'Cast',
    input: [from],
    output: [to],
    attribute: [intAttribute('to', type)],
  };
}
