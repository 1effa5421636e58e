import type { Initializer, OnnxGraph, OpNode } from './onnx-graph.ts';

/** Operators that are linear in their weight (input 1) and add a bias (input 2, one number a filter), and the weight's axis of filters. */
const FILTER_AXES: ReadonlyMap<string, number> = new Map([
  ['Conv', 0],
  ['Gemm', 0],
  ['ConvTranspose', 1],
]);

/**
 * Folds each BatchNormalization into the convolution or Gemm before it, when nothing else reads that node's output:
 * W' = s W and b' = s (b - mean) + beta, with s = gamma / sqrt(variance + epsilon) for each filter.
 */
export function foldBatchNorm(graph: OnnxGraph): void {
  for (const norm of graph.nodes.filter((node) => node.opType === 'BatchNormalization')) {
    const linear = graph.producerOf(norm.inputs[0]!);
    if (!linear || !FILTER_AXES.has(linear.opType) || !graph.hasOneReader(linear.output)) continue;
    fold(graph, linear, norm);
    graph.bypass(norm, linear.output);
  }
}

function fold(graph: OnnxGraph, linear: OpNode, norm: OpNode): void {
  const [gamma, beta, mean, variance] = norm.inputs.slice(1).map((name) => graph.initializers.get(name)!.data) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const { float: epsilon } = norm.attributes.epsilon as { float: number };
  const scale = Float64Array.from(gamma, (g, f) => g / Math.sqrt(variance[f]! + epsilon));

  const [, weightName, biasName] = linear.inputs as [string, string, string?];
  const weight = graph.initializers.get(weightName) as Initializer;
  const bias = biasName === undefined ? undefined : graph.initializers.get(biasName)!.data;
  const axis = FILTER_AXES.get(linear.opType)!;
  const perFilter = weight.dims.slice(axis + 1).reduce((product, size) => product * size, 1);

  const foldedWeight = (weight.data as Float32Array).map(
    (w, i) => w * scale[Math.floor(i / perFilter) % scale.length]!,
  );
  const foldedBias = Float32Array.from(scale, (s, f) => s * (Number(bias?.[f] ?? 0) - mean[f]!) + beta[f]!);

  graph.replaceInput(linear, 1, { data: foldedWeight, dims: weight.dims });
  if (biasName === undefined) {
    linear.inputs.push(graph.addInitializer(`${linear.name}/bias`, foldedBias, [scale.length]));
  } else {
    graph.replaceInput(linear, 2, { data: foldedBias, dims: [scale.length] });
  }
}
