import * as tf from '@tensorflow/tfjs-core';
import { type LayersModel, layers, model as layersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { SelfAttention } from '../../src/layers/self-attention.ts';
import type { PruningPlan } from '../../src/pruning/pruning-plan.ts';

/** A tensor and, for each of its channels, the filters that it cannot do without, as 'layer 3'. */
export interface Traced {
  readonly tensor: SymbolicTensor;
  readonly channels: readonly ReadonlySet<string>[];
}

/**
 * Builds networks and keeps book of the filters behind each channel, on its own, as an oracle for the channel graph. Given a
 * plan, it builds the masked network: wherever a layer sums over channels, those of removed filters are multiplied by 0.
 */
export class TracedNetwork {
  readonly #removed: ReadonlySet<string>;
  readonly #layers = new Map<string, layers.Layer>();

  constructor(plan?: PruningPlan) {
    const removed = Object.entries(plan?.remove ?? {});
    this.#removed = new Set(removed.flatMap(([layer, filters]) => filters.map((filter) => `${layer} ${filter}`)));
  }

  input(name: string, shape: (number | null)[]): Traced {
    const tensor = layers.inputLayer({ name, inputShape: shape }).output as SymbolicTensor;
    return { tensor, channels: Array.from({ length: shape.at(-1)! }, () => new Set<string>()) };
  }

  /** A layer that sums over channels and has filters; the same one wherever the name is the same. */
  sums(x: Traced, layer: layers.Layer): Traced {
    const own = this.#once(layer);
    const tensor = own.apply(this.#read(x)) as SymbolicTensor;
    return { tensor, channels: filtersOf(own.name, tensor.shape.at(-1)!) };
  }

  /** Layers that keep each channel by itself. */
  passes(x: Traced, ...steps: layers.Layer[]): Traced {
    const tensor = steps.reduce((y, layer) => this.#once(layer).apply(y) as SymbolicTensor, x.tensor);
    return { ...x, tensor };
  }

  /** A layer whose output channel i comes from input channel `sources[i]`; -1: from none. */
  maps(x: Traced, layer: layers.Layer, sources: (channels: number) => number[]): Traced {
    const channels = sources(x.channels.length).map((source) => x.channels[source] ?? new Set<string>());
    return { tensor: this.#once(layer).apply(x.tensor) as SymbolicTensor, channels };
  }

  flatten(x: Traced, name: string): Traced {
    return this.maps(x, layers.flatten({ name }), (count) => {
      const positions = x.tensor.shape.slice(1, -1).reduce<number>((size, side) => size * side!, 1);
      return Array.from({ length: positions * count }, (_, unit) => unit % count);
    });
  }

  /** A layer that takes channel i of all inputs together; inputs of a single channel take part in every channel. */
  joins(inputs: readonly Traced[], layer: layers.Layer): Traced {
    const tensor = this.#once(layer).apply(inputs.map((x) => x.tensor)) as SymbolicTensor;
    const full = inputs.filter(({ channels }) => channels.length === tensor.shape.at(-1));
    return { tensor, channels: full[0]!.channels.map((_, i) => new Set(full.flatMap((x) => [...x.channels[i]!]))) };
  }

  concatenates(inputs: readonly Traced[], name: string): Traced {
    const tensor = this.#once(layers.concatenate({ name })).apply(inputs.map((x) => x.tensor)) as SymbolicTensor;
    return { tensor, channels: inputs.flatMap((x) => x.channels) };
  }

  /** Attention: sums over the channels of its input, and makes new ones that are nobody's filters. */
  attends(x: Traced, layer: SelfAttention): Traced {
    const tensor = this.#once(layer).apply(this.#read(x)) as SymbolicTensor;
    return { tensor, channels: Array.from({ length: tensor.shape.at(-1)! }, () => new Set<string>()) };
  }

  /** A model in the model, the same one wherever the name is the same; its output is to be made of filters of its own. */
  nests(x: Traced, name: string, build: (inside: Traced) => Traced): Traced {
    let nested = this.#nested.get(name);
    if (!nested) {
      const inside = { ...this.input(`${name}_in`, x.tensor.shape.slice(1)), channels: x.channels };
      const outside = build(inside);
      nested = { model: layersModel({ name, inputs: inside.tensor, outputs: outside.tensor }), outside };
      this.#nested.set(name, nested);
    }
    return { ...nested.outside, tensor: nested.model.apply(x.tensor) as SymbolicTensor };
  }
  readonly #nested = new Map<string, { model: LayersModel; outside: Traced }>();

  /** Takes the weights of the unmasked network, and silences the heads of attention that the plan removes. */
  takeWeights(from: TracedNetwork): void {
    for (const [name, layer] of this.#layers) {
      if (layer.weights.length > 0) layer.setWeights(from.#layers.get(name)!.getWeights());
      if (layer instanceof SelfAttention) this.#silenceHeads(layer);
    }
  }

  #silenceHeads(layer: SelfAttention): void {
    tf.tidy(() => {
      const kernel = layer.weights.find(({ originalName }) => originalName.endsWith('output/kernel'))!;
      const rows = Array.from({ length: layer.heads * layer.headSize }, (_, row) =>
        this.#removed.has(`${layer.name} ${Math.floor(row / layer.headSize)}`) ? 0 : 1,
      );
      kernel.write(tf.mul(kernel.read(), tf.reshape(tf.tensor1d(rows), [-1, 1])));
    });
  }

  #once(layer: layers.Layer): layers.Layer {
    const known = this.#layers.get(layer.name) ?? layer;
    this.#layers.set(layer.name, known);
    return known;
  }

  #read({ tensor, channels }: Traced): SymbolicTensor {
    const factors = channels.map((filters) => ([...filters].some((filter) => this.#removed.has(filter)) ? 0 : 1));
    return factors.includes(0) ? (new Silence(factors).apply(tensor) as SymbolicTensor) : tensor;
  }
}

function filtersOf(layer: string, count: number): ReadonlySet<string>[] {
  return Array.from({ length: count }, (_, filter) => new Set([`${layer} ${filter}`]));
}

/** Multiplies each channel by its factor. */
class Silence extends layers.Layer {
  static readonly className = 'Silence';
  readonly #factors: readonly number[];

  constructor(factors: readonly number[]) {
    super({});
    this.#factors = factors;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => tf.mul(Array.isArray(inputs) ? inputs[0]! : inputs, [...this.#factors]));
  }
}
