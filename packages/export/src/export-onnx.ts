import { type LayerNode, readNodes } from '@secateur/core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { onnx as Onnx } from 'onnx-proto';
import { checkModel } from './check/check-onnx.ts';
import { encode, toModelProto } from './graph/encode.ts';
import { foldBatchNorm as foldBatchNormInto } from './graph/fold-batch-norm.ts';
import { foldPadding } from './graph/fold-padding.ts';
import { OnnxGraph } from './graph/onnx-graph.ts';
import { shieldPadding } from './graph/shield-padding.ts';
import { onnxShape, writeLayers } from './layers/write-layers.ts';
import { type ClassifierDescription, describe, keys } from './metadata.ts';

export interface ExportOptions extends ClassifierDescription {
  /** Whether batch normalisation disappears into the convolution or dense layer before it. Default true. */
  readonly foldBatchNorm?: boolean;
  /** Whether a softmax is put behind the logits; the output is then called `probabilities`. Default false. */
  readonly softmax?: boolean;
  /** Further metadata_props, such as a summary of the pruning. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Converts a trained image classifier to ONNX (opset 17, IR 8) without touching the model.
 *
 * The file has one input `input`, [batch, channels, height, width] (or [batch, features]), and one output `logits`,
 * [batch, classes], or `probabilities` when the network ends in a softmax; `batch` is dynamic. Nodes and tensors are
 * named after their layers. Images stay channels-first throughout, so no transpose is needed: kernels are reordered,
 * and so are the rows of the dense kernel behind a flattened image. The graph is checked as `checkOnnx` does.
 *
 * @throws Error when the model is not a classifier of fixed-size inputs, has layers without an ONNX form (all are
 * listed), or the options do not fit it.
 */
export async function exportOnnx(model: LayersModel, options: ExportOptions = {}): Promise<Uint8Array> {
  return encode(await convertModel(model, options));
}

/** The same before it is encoded, with weights of any size. */
export async function convertModel(
  model: LayersModel,
  { foldBatchNorm = true, softmax = false, metadata = {}, ...description }: ExportOptions = {},
): Promise<Onnx.IModelProto> {
  const nodes = readNodes(model);
  const inputShape = fixedInputShape(nodes[0]!);
  const classes = classCount(nodes.at(-1)!);
  const properties = describe(description, { inputShape, classes, extra: metadata });

  const graph = new OnnxGraph('input', ['logits', 'probabilities']);
  await writeLayers(graph, nodes);
  foldPadding(graph);
  shieldPadding(graph);
  if (foldBatchNorm) foldBatchNormInto(graph);

  const endsInSoftmax = graph.producerOf(graph.output)?.opType === 'Softmax';
  if (softmax && !endsInSoftmax) {
    graph.output = graph.addNode('softmax', 'Softmax', [graph.output], { axis: { int: 1 } });
    properties[keys.appendedSoftmax] = 'true';
  }
  const output = softmax || endsInSoftmax ? 'probabilities' : 'logits';
  graph.renameOutput(output);

  const converted = toModelProto({
    name: model.name,
    graph,
    input: { name: 'input', dims: ['batch', ...inputShape] },
    output: { name: output, dims: ['batch', classes] },
    properties,
  });
  checkModel(converted);
  return converted;
}

function fixedInputShape(input: LayerNode): number[] {
  const shape = onnxShape(input);
  if ((shape.length !== 1 && shape.length !== 3) || shape.some((size) => size === null)) {
    throw new Error(
      `Expected an input of shape [batch, height, width, channels] or [batch, features] with every size but the batch fixed, but layer '${input.name}' takes [${input.outputShape.map(String)}]. Build the model with a fixed inputShape.`,
    );
  }
  return shape;
}

function classCount({ name, outputShape }: LayerNode): number {
  const [, classes] = outputShape;
  if (outputShape.length !== 2 || classes == null) {
    throw new Error(
      `Expected a classifier with an output of shape [batch, classes], but layer '${name}' gives [${outputShape.map(String)}]. End the model in a global pooling, flatten or dense layer.`,
    );
  }
  return classes;
}
