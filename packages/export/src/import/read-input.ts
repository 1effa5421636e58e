import { quote } from '../quote.ts';
import type { SourceGraph, SourceNode } from './source-graph.ts';
import { CHANNELS_FIRST } from './value.ts';

/** How the file's input lists an image: [batch, channels, height, width] or [batch, height, width, channels]. */
export type InputLayout = 'NCHW' | 'NHWC';

export interface InputOptions {
  /** By default it is told from the first operator that knows: a convolution, a pooling, or a transpose in front of them. */
  readonly inputLayout?: InputLayout | undefined;
  /** [height, width, channels] or [features], for a file that leaves them open. */
  readonly inputShape?: readonly number[] | undefined;
}

interface Input {
  /** Of the LayersModel, channels last, without the batch. */
  readonly shape: readonly number[];
  /** Which of these axes each of the file's is. */
  readonly axes: readonly number[];
}

export function readInput(graph: SourceGraph, { inputLayout, inputShape }: InputOptions): Input {
  const { name, dims } = graph.input;
  if (dims.length !== 4 && dims.length !== 2) {
    throw new Error(
      `Expected input ${quote(name)} to be [batch, channels, height, width] or [batch, features], but it has ${dims.length} axes.`,
    );
  }
  const layout = inputLayout ?? layoutOf(graph);
  const axes = dims.length === 2 ? [0] : layout === 'NCHW' ? CHANNELS_FIRST : [0, 1, 2];
  const inFile = dims.slice(1);
  const stated = axes.map((_, axis) => inFile[axes.indexOf(axis)]);
  const shape = inputShape ?? stated;
  const fits =
    shape.length === stated.length && stated.every((size, axis) => size === undefined || size === shape[axis]);
  if (!fits || shape.some((size) => size === undefined || !Number.isInteger(size) || size < 1)) {
    const list = (sizes: readonly unknown[]) => `[${sizes.map((size) => size ?? '?').join(', ')}]`;
    throw new Error(
      `Expected an input of fixed size behind the batch, but ${quote(name)} is ${list(['batch', ...inFile])} (${layout})${inputShape ? ` and the option inputShape ${list(inputShape)}` : ''}. Give inputShape as [height, width, channels] or [features].`,
    );
  }
  return { shape: shape as number[], axes };
}

const KNOWS_CHANNELS_FIRST = new Set([
  'AveragePool',
  'BatchNormalization',
  'Conv',
  'GlobalAveragePool',
  'GlobalMaxPool',
  'MaxPool',
  'PRelu',
]);

function layoutOf(graph: SourceGraph): InputLayout {
  const { nodes, input } = graph;
  const reached = new Set([input.name]);
  for (const node of nodes) {
    if (!node.inputs.some((name) => reached.has(name))) continue;
    if (movesOneChannel(node, graph)) return 'NHWC';
    if (KNOWS_CHANNELS_FIRST.has(node.opType)) return 'NCHW';
    if (node.opType === 'Transpose') return String(node.attributes.integers('perm')) === '0,3,1,2' ? 'NHWC' : 'NCHW';
    for (const name of node.outputs) reached.add(name);
  }
  return 'NCHW';
}

/** [batch, height, width, 1] becomes [batch, 1, height, width] by a reshape, as tf2onnx writes transposes that move nothing. */
function movesOneChannel({ opType, inputs }: SourceNode, { input, constant }: SourceGraph): boolean {
  if (opType !== 'Reshape') return false;
  const [, height, width, channels] = input.dims;
  const target = [...(constant(inputs[1] ?? '')?.data ?? [])];
  return channels === 1 && height !== 1 && String(target.slice(1)) === String([1, height, width]);
}
