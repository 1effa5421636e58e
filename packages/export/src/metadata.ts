import type { onnx as Onnx } from 'onnx-proto';
import { decodeModel } from './graph/decode.ts';
import type { Port } from './graph/encode.ts';

/** What a program needs to know to feed images to the file and to name its answers. */
export interface ClassifierDescription {
  /** One name for each logit, in order. */
  readonly classNames?: readonly string[];
  /** Per input channel, in units of the scaled pixel: input = (pixel * inputScale - mean) / std. */
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
  /** What raw pixels are multiplied by before standardisation, for example 1 / 255. */
  readonly inputScale?: number;
}

export interface OnnxMetadata extends ClassifierDescription {
  readonly producer: string;
  readonly producerVersion: string;
  readonly irVersion: number;
  readonly opset: number;
  /** Named dimensions, such as `batch`, are dynamic. */
  readonly input: Port;
  readonly output: Port;
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
  appendedSoftmax: 'appended_softmax',
} as const;

/**
 * Checks a description against the network and writes it as metadata_props; absent parts are left out.
 *
 * @throws Error when names or statistics do not fit the network, or `extra` uses a key of the exporter.
 */
export function describe(
  { classNames, mean, std, inputScale }: ClassifierDescription,
  {
    inputShape,
    classes,
    extra,
  }: { inputShape: readonly number[]; classes: number; extra: Readonly<Record<string, string>> },
): Record<string, string> {
  const channels = inputShape[0]!;
  expectLength('classNames', classNames, classes, 'one name for each logit');
  expectLength('mean', mean, channels, 'one number for each input channel');
  expectLength('std', std, channels, 'one number for each input channel');
  expectNumbers('mean', mean, Number.isFinite, 'a finite number');
  expectNumbers('std', std, isPositive, 'a number above 0');
  expectNumbers('inputScale', inputScale === undefined ? undefined : [inputScale], isPositive, 'a number above 0');
  for (const key of Object.values(keys)) {
    if (key in extra) throw new Error(`Metadata key '${key}' is written by the exporter itself; choose another name.`);
  }
  const json = (key: string, value: unknown) => (value === undefined ? {} : { [key]: JSON.stringify(value) });
  return {
    ...json(keys.classNames, classNames),
    ...json(keys.mean, mean),
    ...json(keys.std, std),
    ...json(keys.inputScale, inputScale),
    [keys.layout]: inputShape.length === 3 ? 'NCHW' : 'NC',
    ...extra,
  };
}

/**
 * Reads what an ONNX file says about itself. Class names and normalisation are absent when the file does not state them
 * in the form that `exportOnnx` writes.
 *
 * @throws Error when the bytes are not an ONNX model.
 */
export function readOnnxMetadata(bytes: Uint8Array): OnnxMetadata {
  return metadataOf(decodeModel(bytes));
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
  const inputScale = read(keys.inputScale, (value) => typeof value === 'number');
  const initializers = new Set(model.graph!.initializer!.map(({ name }) => name));
  return {
    producer: model.producerName,
    producerVersion: model.producerVersion,
    irVersion: toNumber(model.irVersion),
    opset: toNumber(model.opsetImport.find(({ domain }) => !domain)?.version ?? 0),
    // Files of IR 3 and older list their weights among the inputs.
    input: portOf(model.graph!.input!.find(({ name }) => !initializers.has(name))),
    output: portOf(model.graph!.output![0]),
    properties,
    ...(classNames && { classNames }),
    ...(mean && { mean }),
    ...(std && { std }),
    ...(inputScale !== undefined && { inputScale }),
  };
}

function portOf(info: Onnx.IValueInfoProto | undefined): Port {
  const dims = info?.type?.tensorType?.shape?.dim ?? [];
  return { name: info?.name ?? '', dims: dims.map((dim) => dim.dimParam || toNumber(dim.dimValue ?? 0)) };
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
