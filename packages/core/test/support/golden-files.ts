import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The reference numbers; its README.md explains every field. `SECATEUR_GOLDEN` points at another folder of the same format. */
export function goldenFolder(): string {
  return process.env.SECATEUR_GOLDEN ?? fileURLToPath(new URL('../golden', import.meta.url));
}

export interface TensorEntry {
  readonly name: string;
  readonly shape: readonly number[];
  /** In elements. */
  readonly offset: number;
  readonly length: number;
}

export interface ParameterEntry extends TensorEntry {
  readonly kind: 'param' | 'buffer';
}

export interface MeasuredEntry extends TensorEntry {
  readonly noise: number;
}

export interface GradientEntry extends MeasuredEntry {
  readonly max_abs: number;
}

export interface ConvOperation {
  readonly op: 'conv';
  readonly name: string;
  readonly in_channels: number;
  readonly out_channels: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  readonly bias: boolean;
}

export interface BatchNormOperation {
  readonly op: 'batchnorm2d' | 'batchnorm1d';
  readonly name: string;
  readonly channels: number;
  readonly eps: number;
  readonly momentum: number;
}

export interface BlockOperation {
  readonly op: 'block';
  readonly name: string;
  readonly conv1: ConvOperation;
  readonly bn1: BatchNormOperation;
  readonly conv2: ConvOperation;
  readonly bn2: BatchNormOperation;
  readonly shortcut: 'identity' | 'subsample2_pad';
  readonly pad_channels_each_side: number;
}

export interface LinearOperation {
  readonly op: 'linear';
  readonly name: string;
  readonly in_features: number;
  readonly out_features: number;
  readonly bias: boolean;
}

export interface PoolOperation {
  readonly op: 'maxpool' | 'avgpool';
  readonly kernel: number;
  readonly stride: number;
}

export interface PlainOperation {
  readonly op: 'relu' | 'flatten' | 'global_avgpool';
}

export type Operation =
  | ConvOperation
  | BatchNormOperation
  | BlockOperation
  | LinearOperation
  | PoolOperation
  | PlainOperation;

export interface NetFile {
  readonly name: string;
  readonly kind: string;
  readonly num_classes: number;
  readonly input: {
    readonly size: number;
    readonly crop_top: number;
    readonly crop_left: number;
    readonly channels: number;
  };
  readonly input_check: {
    readonly image: number;
    readonly channel0_row0: readonly number[];
    readonly mean: number;
    readonly std: number;
  };
  readonly layers: readonly Operation[];
  readonly convs: readonly {
    readonly name: string;
    readonly out_channels: number;
    readonly height: number;
    readonly width: number;
  }[];
  readonly weights: { readonly file: string; readonly sha256: string; readonly entries: readonly ParameterEntry[] };
}

export interface TauScores {
  readonly score: readonly number[];
  readonly score_tenths: readonly number[];
  readonly score_tenths_low: readonly number[];
  readonly score_tenths_high: readonly number[];
  readonly class_max_tenths: readonly (readonly number[])[];
  readonly sum_of_class_max_tenths: readonly number[];
  readonly differing_counts_float64: number;
}

export interface LayerScoresFile {
  readonly conv: string;
  readonly index: number;
  readonly filters: number;
  readonly height: number;
  readonly width: number;
  readonly counts_offset: number;
  /** [classes, filters, height * width] */
  readonly counts_shape: readonly [number, number, number];
  readonly roles: readonly string[];
  readonly taus: Readonly<Record<string, TauScores>>;
  readonly mean_abs: {
    readonly class_max: readonly (readonly number[])[];
    readonly score_max: readonly number[];
    readonly score_avg: readonly number[];
    readonly score_max_float64: readonly number[];
    readonly score_avg_float64: readonly number[];
  };
  readonly min_nonzero: number;
  readonly max: number;
}

export interface ScoresFile {
  readonly num_classes: number;
  readonly images_per_class: number;
  readonly taus: readonly string[];
  readonly band: number;
  readonly logits: readonly (readonly number[])[];
  readonly logits_noise: number;
  readonly loss_per_class: readonly number[];
  readonly loss_per_image: readonly number[];
  readonly accuracy_on_images: number;
  readonly counts_file: string;
  readonly counts_sha256: string;
  readonly probe: {
    readonly file: string;
    readonly cls: number;
    readonly image: number;
    readonly convs: readonly {
      readonly conv: string;
      /** [channels, height, width] */
      readonly shape: readonly [number, number, number];
      readonly activation_offset: number;
      readonly gradient_offset: number;
    }[];
  };
  readonly layers: readonly LayerScoresFile[];
}

export interface LossTerms {
  readonly ce: number;
  readonly l1: number;
  readonly conv_orth: number;
  readonly kernel_orth: number;
  readonly total: number;
}

export type GradientOf = 'ce' | 'l1' | 'conv_orth' | 'kernel_orth' | 'total_conv' | 'total_kernel';

export interface LossesFile {
  readonly start: { readonly file: string; readonly sha256: string; readonly entries: readonly ParameterEntry[] };
  readonly r_orth: number;
  readonly l1_lambda: number;
  readonly optimizer: {
    readonly type: 'sgd';
    readonly lr: number;
    readonly momentum: number;
    readonly dampening: number;
    readonly nesterov: boolean;
    readonly weight_decay: number;
  };
  readonly batches: readonly (readonly number[])[];
  readonly steps: readonly LossTerms[];
  readonly steps_float64: readonly LossTerms[];
  readonly steps_with_kernel_orth: readonly LossTerms[];
  readonly per_conv: readonly { readonly conv: string; readonly conv_orth: number; readonly kernel_orth: number }[];
  readonly per_param_l1: readonly { readonly name: string; readonly l1: number }[];
  readonly grads_file: string;
  readonly grads: Readonly<Record<GradientOf, readonly GradientEntry[]>>;
  readonly after1: { readonly file: string; readonly entries: readonly MeasuredEntry[] };
  readonly after3: { readonly file: string; readonly entries: readonly MeasuredEntry[] };
}

export interface CountsFile {
  readonly macs_conv: number;
  readonly macs_linear: number;
  readonly macs_conv_linear: number;
  readonly authors_flops_multiply_adds: number;
  readonly authors_params: number;
  readonly per_layer_macs?: readonly (readonly [string, number])[];
}

export interface MaskFile {
  readonly name: string;
  readonly drop: Readonly<Record<string, readonly number[]>>;
  readonly keep: Readonly<Record<string, readonly number[]>>;
  readonly file: string;
  readonly entries: readonly ParameterEntry[];
  readonly layers: readonly Operation[];
  readonly logits: readonly (readonly number[])[];
  readonly logits_noise: number;
  readonly max_abs_diff_to_masked: number;
  readonly max_abs_change_of_logits: number;
  readonly counts: CountsFile;
}

export interface PruningFile {
  readonly prunable: readonly string[];
  readonly dense_counts: CountsFile;
  readonly masks: readonly MaskFile[];
}

export interface GoldenNetwork {
  readonly name: string;
  readonly net: NetFile;
  readonly scores: ScoresFile;
  readonly losses: LossesFile;
  readonly pruning: PruningFile;
  /** A float32 file of the network's folder. */
  floats(file: string): Float32Array;
  /** A uint8 file of the network's folder. */
  bytes(file: string): Uint8Array;
}

/** Folders with a net.json, in alphabetical order. */
export function listNetworks(): string[] {
  const folder = goldenFolder();
  const networks = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && readdirSync(join(folder, entry.name)).includes('net.json'))
    .map((entry) => entry.name)
    .sort();
  if (networks.length === 0)
    throw new Error(`Expected networks (sub-folders with a net.json) in ${folder}, found none.`);
  return networks;
}

export function readNetwork(name: string): GoldenNetwork {
  const json = <T>(file: string): T => readGoldenJson<T>(join(name, file));
  const bytes = (file: string): Uint8Array => readGoldenBytes(join(name, file));
  return {
    name,
    net: json<NetFile>('net.json'),
    scores: json<ScoresFile>('scores.json'),
    losses: json<LossesFile>('losses.json'),
    pruning: json<PruningFile>('pruning.json'),
    floats: (file) => new Float32Array(bytes(file).slice().buffer),
    bytes,
  };
}

/** The values of one tensor, in PyTorch's layout; a view of `values`. */
export function tensorEntry(values: Float32Array, entry: TensorEntry): Float32Array {
  return values.subarray(entry.offset, entry.offset + entry.length);
}

export function readGoldenJson<T>(path: string): T {
  return JSON.parse(readFileSync(join(goldenFolder(), path), 'utf8')) as T;
}

export function readGoldenBytes(path: string): Uint8Array {
  return Uint8Array.from(readFileSync(join(goldenFolder(), path)));
}
