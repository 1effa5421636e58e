import type { LayerNode, Network } from '@secateur/core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { onnx as Onnx } from 'onnx-proto';
import { checkModel } from './check/check-onnx.ts';
import { checkOpset, DEFAULT_OPSET, encode, type Port, toModelProto } from './graph/encode.ts';
import { foldBatchNorm as foldBatchNormInto } from './graph/fold-batch-norm.ts';
import { foldImageOrder } from './graph/fold-image-order.ts';
import { foldPadding } from './graph/fold-padding.ts';
import { OnnxGraph } from './graph/onnx-graph.ts';
import { readLayers } from './graph/read-layers.ts';
import { shieldPadding } from './graph/shield-padding.ts';
import type { Value } from './layers/converter.ts';
import { arrange, type Layout } from './layers/layout.ts';
import { shapeOf, writeLayers } from './layers/write-layers.ts';
import { type ClassifierDescription, describe, keys } from './metadata.ts';
import { writePreprocessing } from './preprocessing.ts';

export interface ExportOptions extends ClassifierDescription {
  /** Whether batch normalisation disappears into the convolution or dense layer before it. Default true. */
  readonly foldBatchNorm?: boolean;
  /**
   * Whether a softmax over the classes is put behind each output that does not end in one; a single output is then called
   * `probabilities`. Default: that of `preprocessing`.
   */
  readonly softmax?: boolean;
  /** How the inputs lie; NHWC costs one Transpose at the start. Default NCHW. */
  readonly inputLayout?: 'NCHW' | 'NHWC';
  /**
   * Whether the file takes pixels as they are, uint8 [batch, height, width, channels], and standardises them with
   * `inputScale`, `mean` and `std` by itself. Default false.
   */
  readonly preprocessing?: boolean;
  /** Version of ONNX's operator set, 17 to 26. Default 17. */
  readonly opset?: number;
  /** Further metadata_props. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Converts a trained network to ONNX (opset 17 and IR 8 unless told otherwise) without touching the model.
 *
 * The file has one input `input`, [batch, channels, height, width] (or [batch, features]), and one output `logits`,
 * [batch, classes] or [batch, classes, height, width], called `probabilities` when the network ends in a softmax; `batch`
 * is dynamic. Several inputs or outputs have the names of their layers. Nodes and tensors are named after their layers.
 * Images stay channels-first throughout: kernels are reordered, and so are the rows of the dense kernel behind a
 * flattened image. The graph is checked as `checkOnnx` does.
 *
 * @throws Error when an input's size is not fixed, layers have no ONNX form (all are listed), or the options do not fit
 * the model.
 */
export async function exportOnnx(model: LayersModel, options: ExportOptions = {}): Promise<Uint8Array> {
  return encode(await convertModel(model, options));
}

/** The same before it is encoded, with weights of any size. */
export async function convertModel(model: LayersModel, options: ExportOptions = {}): Promise<Onnx.IModelProto> {
  const { foldBatchNorm = true, preprocessing = false, softmax = preprocessing, metadata = {} } = options;
  const { opset = DEFAULT_OPSET } = options;
  checkOpset(opset);
  const network = readLayers(model);
  const inputs = inputNodes(model, network);
  const inputLayout = preprocessing || options.inputLayout === 'NHWC' ? 'channelsLast' : 'channelsFirst';
  const properties = describe(options, {
    channels: inputs[0]!.outputShape.at(-1)!,
    classes: network.outputs[0]!.outputShape.at(-1)!,
    layouts: inputs.map((input) => layoutName(shapeOf(input).length, inputLayout)),
    extra: metadata,
  });

  const inputNames = inputs.length === 1 ? ['input'] : inputs.map(({ name }) => name);
  const outputNames = network.outputs.length === 1 ? ['logits', 'probabilities'] : outputNamesOf(network);
  const graph = new OnnxGraph({ inputs: inputNames, reserved: outputNames, opset });
  const values = new Map(
    inputs.map((node, i): [LayerNode, Value] => {
      const shape = shapeOf(node);
      return [node, { name: inputNames[i]!, shape, layout: shape.length === 1 ? 'channelsLast' : inputLayout }];
    }),
  );
  if (preprocessing) {
    writePreprocessing(graph, values, options);
    properties[keys.inputValues] = 'pixels';
  }
  const outputs = await writeLayers(graph, network, values);
  graph.outputs = outputs.map(({ name }) => name);
  foldPadding(graph);
  shieldPadding(graph);
  if (foldBatchNorm) foldBatchNormInto(graph);
  foldImageOrder(graph);

  const givesProbabilities = graph.outputs.map((output) => graph.producerOf(output)?.opType === 'Softmax');
  if (softmax && givesProbabilities.includes(false)) {
    graph.outputs = graph.outputs.map((output, i) =>
      givesProbabilities[i] ? output : graph.addNode(`${output}/softmax`, 'Softmax', [output], { axis: { int: 1 } }),
    );
  }
  const single = softmax || givesProbabilities[0] ? 'probabilities' : 'logits';
  const ports = outputs.length === 1 ? [single] : outputNames;
  if (softmax && givesProbabilities.includes(false)) {
    properties[keys.appendedSoftmax] = JSON.stringify(ports.filter((_, i) => !givesProbabilities[i]));
  }
  ports.forEach((name, i) => {
    graph.nameOutput(i, name);
  });
  const converted = toModelProto({
    name: model.name,
    graph,
    inputs: inputs.map((node, i) => inputPort(inputNames[i]!, shapeOf(node), { inputLayout, preprocessing })),
    outputs: outputs.map(({ shape }, i) => ({
      name: ports[i]!,
      dims: ['batch', ...arrange(shape, 'channelsFirst')],
    })),
    properties,
  });
  checkModel(converted);
  return converted;
}

function inputPort(
  name: string,
  shape: readonly number[],
  { inputLayout, preprocessing }: { inputLayout: Layout; preprocessing: boolean },
): Port {
  return { name, dims: ['batch', ...arrange(shape, inputLayout)], ...(preprocessing && { type: 'uint8' }) };
}

/** The network's input layers, in the model's order. */
function inputNodes(model: LayersModel, { nodes }: Network): LayerNode[] {
  return model.inputs.map(({ sourceLayer }) => {
    const node = nodes.find(({ layer, inputs }) => layer === sourceLayer && inputs.length === 0);
    if (!node) {
      throw new Error(
        `Expected every input of model '${model.name}' to have a way to an output, but '${sourceLayer.name}' has none. Build the model without it.`,
      );
    }
    const shape: readonly (number | null)[] = node.outputShape.slice(1);
    if (shape.length === 0 || shape.includes(null)) {
      throw new Error(
        `Expected an input of shape [batch, height, width, channels] or [batch, features] with every size but the batch fixed, but layer '${node.name}' takes [${node.outputShape.map(String)}]. Build the model with a fixed inputShape.`,
      );
    }
    return node;
  });
}

/** The layers' names; a layer whose output is given out twice gets a number. */
function outputNamesOf({ outputs }: Network): string[] {
  return outputs.map(({ name }, i) => {
    const before = outputs.slice(0, i).filter((other) => other.name === name).length;
    return before === 0 ? name : `${name}_${before}`;
  });
}

/** NCHW and its like for other numbers of axes. */
function layoutName(rank: number, layout: Layout): string {
  const positions = { 1: '', 2: 'W', 3: 'HW', 4: 'DHW' }[rank] ?? '?'.repeat(rank - 1);
  return layout === 'channelsFirst' ? `NC${positions}` : `N${positions}C`;
}
