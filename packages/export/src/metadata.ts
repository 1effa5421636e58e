import type { onnx as Onnx } from 'onnx-proto';
import { decodeModel } from './graph/decode.ts';
import { type Port, PRODUCER } from './graph/encode.ts';
import { onnx } from './graph/proto.ts';
import { version } from './version.ts';

/** What a program needs to know to feed images to the file and to name its answers. */
export interface ClassifierDescription {
  /** One name for each class, in order. */
  readonly classNames?: readonly string[];
  /** Per input channel, in units of the scaled pixel: input = (pixel * inputScale - mean) / std. */
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
  /** What raw pixels are multiplied by before standardisation, for example 1 / 255. */
  readonly inputScale?: number;
  /** Share of the test images that the network classifies correctly, in [0, 1]. */
  readonly accuracy?: number;
  /** How the network became as small as it is, step by step. */
  readonly pruning?: readonly PruningStep[];
}

/** One step of pruning, and the network after it. */
export interface PruningStep {
  readonly removedFilters: number;
  /** Multiply-accumulates for one image. */
  readonly macs: number;
  /** Share of validation images classified correctly after fine-tuning, in [0, 1]. */
  readonly accuracy: number;
}

export interface OnnxMetadata extends ClassifierDescription {
  readonly producer: string;
  readonly producerVersion: string;
  readonly irVersion: number;
  readonly opset: number;
  /** Named dimensions, such as `batch`, are dynamic. */
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** The first of each. */
  readonly input: Port;
  readonly output: Port;
  /** Files beside the model that hold weights of it. */
  readonly externalFiles: readonly string[];
  /** Every metadata_props entry as it stands in the file. */
  readonly properties: Readonly<Record<string, string>>;
}

/** Keys of metadata_props that the exporter writes itself. */
export const keys = {
  classNames: 'class_names',
  mean: 'mean',
  std: 'std',
  inputScale: 'input_scale',
  layout: 'input_layout',
  /** 'pixels' when the graph standardises by itself. */
  inputValues: 'input_values',
  accuracy: 'accuracy',
  pruning: 'pruning',
  producer: 'producer',
  /** Names of the outputs behind which the exporter put a softmax. */
  appendedSoftmax: 'appended_softmax',
} as const;

/** A network as far as its description has to fit it. */
export interface Described {
  /** Of the first input. */
  readonly channels: number;
  /** Of the first output. */
  readonly classes: number;
  /** Of each input, such as NCHW. */
  readonly layouts: readonly string[];
  /** Further entries. */
  readonly extra: Readonly<Record<string, string>>;
}

/**
 * Checks a description against the network and writes it as metadata_props; absent parts are left out.
 *
 * @throws Error when names or statistics do not fit the network, or `extra` uses a key of the exporter.
 */
export function describe(
  { classNames, mean, std, inputScale, accuracy, pruning }: ClassifierDescription,
  { channels, classes, layouts, extra }: Described,
): Record<string, string> {
  expectLength('classNames', classNames, classes, 'one name for each class');
  expectLength('mean', mean, channels, 'one number for each input channel');
  expectLength('std', std, channels, 'one number for each input channel');
  expectNumbers('mean', mean, Number.isFinite, 'a finite number');
  expectNumbers('std', std, isPositive, 'a number above 0');
  expectNumbers('inputScale', inputScale === undefined ? undefined : [inputScale], isPositive, 'a number above 0');
  expectNumbers('accuracy', accuracy === undefined ? undefined : [accuracy], isShare, 'a number between 0 and 1');
  for (const key of Object.values(keys)) {
    if (key in extra) throw new Error(`Metadata key '${key}' is written by the exporter itself; choose another name.`);
  }
  const json = (key: string, value: unknown) => (value === undefined ? {} : { [key]: JSON.stringify(value) });
  return {
    [keys.producer]: `${PRODUCER} ${version}`,
    ...json(keys.classNames, classNames),
    ...json(keys.mean, mean),
    ...json(keys.std, std),
    ...json(keys.inputScale, inputScale),
    ...json(keys.accuracy, accuracy),
    ...json(keys.pruning, pruning),
    [keys.layout]: layouts.join(','),
    ...extra,
  };
}

/**
 * Reads what an ONNX file says about itself. Class names and normalisation are absent when the file does not state them
 * in the form that `exportOnnx` writes.
 *
 * @param name What error messages call the file.
 * @throws Error when the bytes are not an ONNX model.
 */
export function readOnnxMetadata(bytes: Uint8Array, name?: string): OnnxMetadata {
  return metadataOf(decodeModel(bytes, name));
}

/** The batch that a file allows alone; undefined for an open one. */
export function fixedBatch({ input }: OnnxMetadata): number | undefined {
  const [batch] = input.dims;
  return typeof batch === 'number' && batch > 0 ? batch : undefined;
}

/** The outputs that the exporter put a softmax behind. */
export function softmaxOutputs({ properties }: OnnxMetadata): readonly string[] {
  const names = parseJson(properties[keys.appendedSoftmax]);
  return isListOf('string')(names) ? names : [];
}

export function metadataOf(model: Onnx.ModelProto): OnnxMetadata {
  const properties = Object.fromEntries(model.metadataProps.map(({ key, value }) => [key ?? '', value ?? '']));
  const read = <T>(key: string, isRight: (value: unknown) => value is T): T | undefined => {
    const value = parseJson(properties[key]);
    return isRight(value) ? value : undefined;
  };
  const classNames = read(keys.classNames, isListOf('string'));
  const mean = read(keys.mean, isListOf('number'));
  const std = read(keys.std, isListOf('number'));
  const inputScale = read(keys.inputScale, isNumber);
  const accuracy = read(keys.accuracy, isNumber);
  const pruning = read(keys.pruning, isPruningHistory);
  const initializers = new Set(model.graph!.initializer!.map(({ name }) => name));
  // Files of IR 3 and older list their weights among the inputs.
  const inputs = model.graph!.input!.filter(({ name }) => !initializers.has(name)).map(portOf);
  const outputs = model.graph!.output!.map(portOf);
  const none = portOf(undefined);
  return {
    producer: model.producerName,
    producerVersion: model.producerVersion,
    irVersion: toNumber(model.irVersion),
    opset: toNumber(model.opsetImport.find(({ domain }) => !domain)?.version ?? 0),
    inputs,
    outputs,
    input: inputs[0] ?? none,
    output: outputs[0] ?? none,
    externalFiles: [...new Set(model.graph!.initializer!.flatMap(externalFileOf))],
    properties,
    ...(classNames && { classNames }),
    ...(mean && { mean }),
    ...(std && { std }),
    ...(inputScale !== undefined && { inputScale }),
    ...(accuracy !== undefined && { accuracy }),
    ...(pruning && { pruning }),
  };
}

function externalFileOf({ dataLocation, externalData }: Onnx.ITensorProto): string[] {
  if (dataLocation !== onnx.TensorProto.DataLocation.EXTERNAL) return [];
  return (externalData ?? []).filter(({ key }) => key === 'location').map(({ value }) => value ?? '');
}

function portOf(info: Onnx.IValueInfoProto | undefined): Port {
  const dims = info?.type?.tensorType?.shape?.dim ?? [];
  const isBytes = info?.type?.tensorType?.elemType === onnx.TensorProto.DataType.UINT8;
  return {
    name: info?.name ?? '',
    dims: dims.map((dim) => dim.dimParam || toNumber(dim.dimValue ?? 0)),
    ...(isBytes && { type: 'uint8' }),
  };
}

function expectLength(option: string, list: readonly unknown[] | undefined, length: number, meaning: string): void {
  if (list && list.length !== length) {
    throw new Error(`Expected ${option} to hold ${length} entries (${meaning}), but got ${list.length}.`);
  }
}

function expectNumbers(
  option: string,
  numbers: readonly number[] | undefined,
  isRight: (value: number) => boolean,
  expected: string,
): void {
  const wrong = numbers?.find((value) => !isRight(value));
  if (wrong !== undefined) throw new Error(`Expected ${expected} for ${option}, but got ${wrong}.`);
}

function isPositive(value: number): boolean {
  return value > 0 && Number.isFinite(value);
}

function isShare(value: number): boolean {
  return value >= 0 && value <= 1;
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}

function isPruningHistory(value: unknown): value is PruningStep[] {
  const fields = ['removedFilters', 'macs', 'accuracy'] as const;
  return (
    Array.isArray(value) &&
    value.every((step: Partial<PruningStep> | null) => fields.every((field) => isNumber(step?.[field])))
  );
}

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return undefined;
  }
}

function isListOf(type: 'string'): (value: unknown) => value is string[];
function isListOf(type: 'number'): (value: unknown) => value is number[];
function isListOf(type: string) {
  return (value: unknown) => Array.isArray(value) && value.every((entry) => typeof entry === type);
}

/** protobufjs reads 64-bit integers as Long objects. */
function toNumber(integer: unknown): number {
  return Number(String(integer));
}
