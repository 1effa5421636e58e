import { availableParallelism } from 'node:os';
import { countOnnxMacs, type NodeCost } from '../cost/count-onnx-macs.ts';
import { type Latency, measureLatency } from './latency.ts';
import type { OnnxSource } from './load-model.ts';

export interface SpeedOptions {
  /** Images in one run. Default 1, 8 and 128. */
  readonly batchSizes?: readonly number[];
  /** Threads inside one operator. Default 1 and one for each core. */
  readonly threads?: readonly number[];
  /** Timed runs of each model for each batch size and number of threads. Default 30. */
  readonly runs?: number;
  /** Runs before the clock starts. Default 3. */
  readonly warmupRuns?: number;
  /** Called before each measurement. */
  readonly onMeasure?: (setting: { readonly batchSize: number; readonly threads: number }) => void;
}

/** The two models at one batch size and number of threads. */
export interface SpeedMeasurement {
  readonly batchSize: number;
  readonly threads: number;
  readonly dense: Latency;
  readonly pruned: Latency;
  /** How many times as fast the pruned model is, by the medians. */
  readonly speedup: number;
  /** Share of what the MACs promise: speedup / (dense MACs / pruned MACs). */
  readonly realised: number;
}

/** A node whose channels do not fill the blocks that processors compute them in. */
export interface PartialBlocks extends NodeCost {
  /** What is computed when channels are padded to whole blocks of 16. */
  readonly paddedMacs: number;
  /** Whether 8 divides the channels on both sides, or nothing. */
  readonly fits: 8 | 1;
  /** False for a convolution that onnxruntime does not compute in blocks at all: see `compareSpeed`. */
  readonly inBlocks: boolean;
}

export interface SpeedComparison {
  readonly macs: { readonly dense: number; readonly pruned: number; readonly ratio: number };
  /** The ratio of what is computed when channels are padded to whole blocks of 16: what can be hoped for. */
  readonly paddedRatio: number;
  readonly measurements: readonly SpeedMeasurement[];
  /** Nodes of the pruned model with partial blocks: those that are not computed in blocks first, then the largest waste first. */
  readonly partialBlocks: readonly PartialBlocks[];
}

/**
 * Times a network and its pruned version in onnxruntime-node, in turn, and compares how much faster the smaller one is with how
 * many times fewer multiply-accumulates it has.
 *
 * onnxruntime computes convolutions in blocks of 8 (AVX2) or 16 (AVX-512) channels, so that 33 filters cost as much as 40 or 48. A
 * convolution of 16 or more input channels that are no multiple of 4 leaves blocks altogether, for a matrix product of unfolded windows
 * that takes about twice the time for the same work (seen in profiles of onnxruntime 1.30). `partialBlocks` lists the nodes which that touches.
 *
 * @throws Error when a file is not valid ONNX or has inputs of unknown size, or an option is not a positive integer.
 */
export async function compareSpeed(
  dense: OnnxSource,
  pruned: OnnxSource,
  {
    batchSizes = [1, 8, 128],
    threads = [...new Set([1, availableParallelism()])],
    runs = 30,
    warmupRuns = 3,
    onMeasure,
  }: SpeedOptions = {},
): Promise<SpeedComparison> {
  const [before, after] = [await countOnnxMacs(dense), await countOnnxMacs(pruned)];
  const ratio = before.macs / after.macs;
  const measurements: SpeedMeasurement[] = [];
  for (const count of threads) {
    for (const batchSize of batchSizes) {
      onMeasure?.({ batchSize, threads: count });
      const options = { batchSize, threads: count, runs, warmupRuns };
      const [slow, fast] = (await measureLatency([dense, pruned], options)) as [Latency, Latency];
      const speedup = slow.medianMs / fast.medianMs;
      measurements.push({ batchSize, threads: count, dense: slow, pruned: fast, speedup, realised: speedup / ratio });
    }
  }
  const padded = (nodes: readonly NodeCost[]) => nodes.reduce((sum, node) => sum + paddedMacs(node), 0);
  return {
    macs: { dense: before.macs, pruned: after.macs, ratio },
    paddedRatio: padded(before.nodes) / padded(after.nodes),
    measurements,
    partialBlocks: findPartialBlocks(after.nodes),
  };
}

/** Nodes whose channels are no multiples of 16, by the work that padding adds. */
export function findPartialBlocks(nodes: readonly NodeCost[]): PartialBlocks[] {
  return nodes
    .map(
      (node) =>
        ({
          ...node,
          paddedMacs: paddedMacs(node),
          fits: blockSides(node).every((side) => side % 8 === 0) ? 8 : 1,
          inBlocks: isInBlocks(node),
        }) as const,
    )
    .filter(({ macs, paddedMacs }) => paddedMacs > macs)
    .sort((a, b) => Number(a.inBlocks) - Number(b.inBlocks) || b.paddedMacs - b.macs - (a.paddedMacs - a.macs));
}

function isInBlocks({ opType, inputs, group }: NodeCost): boolean {
  return opType !== 'Conv' || group > 1 || inputs < BLOCK || inputs % 4 === 0;
}

const BLOCK = 16;
/** The colours of an image are not padded. */
const MOST_COLOURS = 4;

function paddedMacs(node: NodeCost): number {
  return blockSides(node).reduce((macs, side) => (macs / side) * Math.ceil(side / BLOCK) * BLOCK, node.macs);
}

/** The numbers of channels that are padded; a depthwise convolution has its channels once. */
function blockSides({ inputs, filters, group }: NodeCost): number[] {
  return group > 1 || inputs <= MOST_COLOURS ? [filters] : [inputs, filters];
}
