import type { onnx as Onnx } from 'onnx-proto';
import type { Constant } from '../constant.ts';
import type { Budget } from '../limits.ts';
import type { LayerPlan, LayerSpec, PlannedLayer } from '../plan.ts';
import type { SourceNode } from '../source-graph.ts';
import { type Materialiser, type TensorValue, viewOf } from '../value.ts';

export type Value = TensorValue | Constant;

/** What all operators of a file share. */
export interface FileContext {
  readonly opset: number;
  readonly plan: LayerPlan;
  readonly views: Materialiser;
  readonly budget: Budget;
  readonly fileBatch: number | undefined;
  readonly readTensor: (tensor: Onnx.ITensorProto) => Constant;
  /** Takes what a user should know about the result. */
  readonly notes: string[];
}

interface ContextOptions extends FileContext {
  readonly node: SourceNode;
  readonly name: string;
  /** undefined for an optional input that is left out. */
  readonly inputs: readonly (Value | undefined)[];
}

/** What an operator sees while it is imported. */
export class OperatorContext {
  readonly node: SourceNode;
  readonly opset: number;
  /** The layer's name. */
  readonly name: string;
  readonly views: Materialiser;
  readonly budget: Budget;
  /** The batch size that the file is made for; undefined when it leaves it open. */
  readonly fileBatch: number | undefined;
  /** Reads a tensor that an attribute holds. */
  readonly readTensor: (tensor: Onnx.ITensorProto) => Constant;
  readonly #notes: string[];
  readonly #inputs: readonly (Value | undefined)[];
  readonly #plan: LayerPlan;

  constructor({ inputs, plan, ...shared }: ContextOptions) {
    this.node = shared.node;
    this.name = shared.name;
    this.opset = shared.opset;
    this.views = shared.views;
    this.budget = shared.budget;
    this.fileBatch = shared.fileBatch;
    this.readTensor = shared.readTensor;
    this.#notes = shared.notes;
    this.#inputs = inputs;
    this.#plan = plan;
  }

  get attributes(): SourceNode['attributes'] {
    return this.node.attributes;
  }

  get inputs(): readonly Value[] {
    return this.node.inputs.map((_, index) => this.#required(index));
  }

  input(index: number): Value | undefined {
    return this.#inputs[index];
  }

  /** An input that the network computes. */
  tensor(index = 0): TensorValue {
    const value = this.#required(index);
    if (value.kind !== 'tensor') throw new Error(`reads a constant as input ${index}, where an image should be`);
    return value;
  }

  constant(index: number, what: string): Constant {
    const value = this.optionalConstant(index, what);
    if (!value) throw new Error(`lacks its input ${index}, ${what}`);
    return value;
  }

  optionalConstant(index: number, what: string): Constant | undefined {
    const value = this.#inputs[index];
    if (value?.kind === 'tensor') throw new Error(`takes ${what} from the network; expected constants`);
    return value;
  }

  /** Integers that newer operator sets take as an input and older ones as an attribute. */
  integers(attribute: string, index: number): number[] | undefined {
    const input = this.optionalConstant(index, attribute);
    return input ? [...input.data] : this.attributes.integers(attribute);
  }

  note(text: string): void {
    this.#notes.push(`${this.name}: ${text}`);
  }

  /** Adds a layer; `part` tells several of one node apart. */
  layer(spec: Omit<LayerSpec, 'name'>, part = ''): PlannedLayer {
    return this.#plan.add({ name: part === '' ? this.name : `${this.name}_${part}`, ...spec });
  }

  /** A layer that works on each value, or each channel, by itself: the output is seen as the input is. */
  elementwise(value: TensorValue, spec: Omit<LayerSpec, 'name' | 'shape' | 'inputs'>, part = ''): TensorValue {
    const { layer, axes, order } = this.views.plain(value);
    return viewOf(this.layer({ ...spec, shape: layer.shape, inputs: [layer] }, part), axes, order);
  }

  #required(index: number): Value {
    const value = this.#inputs[index];
    if (!value) throw new Error(`lacks its input ${index}`);
    return value;
  }
}

/** Imports one node; its other outputs stay unknown. */
export type Operator = (context: OperatorContext) => Value;
