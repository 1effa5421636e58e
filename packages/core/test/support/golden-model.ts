import * as tf from '@tensorflow/tfjs-core';
import { type LayersModel, layers, model as layersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { ZeroPadShortcut } from '../../src/layers/zero-pad-shortcut.ts';
import {
  type BatchNormOperation,
  type ConvOperation,
  type LinearOperation,
  type NetFile,
  type Operation,
  type ParameterEntry,
  tensorEntry,
} from './golden-files.ts';

/** Where a tensor of the PyTorch network lives in the LayersModel. */
export interface TensorPlace {
  /** Layers keep PyTorch's module names. */
  readonly layer: string;
  /** Index into `layer.weights`. */
  readonly weight: number;
  /** In the LayersModel's layout. */
  readonly shape: readonly number[];
  /** PyTorch's layout to the LayersModel's. */
  fromTorch(values: Float32Array): Float32Array;
  /** The LayersModel's layout to PyTorch's. */
  toTorch(values: Float32Array): Float32Array;
}

export interface GoldenModel {
  readonly model: LayersModel;
  /** Keyed by PyTorch tensor name, for example `features.conv0.weight`. */
  readonly places: ReadonlyMap<string, TensorPlace>;
}

export interface GoldenWeights {
  readonly entries: readonly ParameterEntry[];
  readonly values: Float32Array;
}

/**
 * Builds the operations as a LayersModel; without `weights`, all of its weights are zeros.
 * @param input `input` of the network's net.json
 */
export function buildModel(
  operations: readonly Operation[],
  input: Pick<NetFile['input'], 'size' | 'channels'>,
  weights?: GoldenWeights,
): GoldenModel {
  const builder = new Builder(input);
  for (const operation of operations) builder.add(operation);
  const golden = builder.finish();
  if (weights) setTensors(golden, weights);
  return golden;
}

/** Writes PyTorch tensors into the model. */
export function setTensors({ model, places }: GoldenModel, { entries, values }: GoldenWeights): void {
  for (const entry of entries) {
    const place = places.get(entry.name);
    if (!place) throw new Error(`The golden tensor '${entry.name}' has no place in model '${model.name}'.`);
    const tensor = tf.tensor(place.fromTorch(tensorEntry(values, entry)), [...place.shape]);
    model.getLayer(place.layer).weights[place.weight]!.write(tensor);
    tensor.dispose();
  }
}

/** The model's value of one tensor, in PyTorch's layout. */
export function readTensor({ model, places }: GoldenModel, name: string): Float32Array {
  const place = places.get(name)!;
  const tensor = model.getLayer(place.layer).weights[place.weight]!.read();
  return place.toTorch(tensor.dataSync() as Float32Array);
}

/** For every element of the LayersModel's tensor, where PyTorch keeps it. */
type Order = Int32Array;

class Builder {
  readonly #input: SymbolicTensor;
  readonly #places = new Map<string, TensorPlace>();
  #x: SymbolicTensor;
  /** Shape of the map that the last flatten took apart; its order of units differs from PyTorch's. */
  #flattened: readonly [number, number, number] | undefined;
  #unnamed = 0;

  constructor({ size, channels }: Pick<NetFile['input'], 'size' | 'channels'>) {
    this.#input = layers.inputLayer({ inputShape: [size, size, channels], name: 'input' }).output as SymbolicTensor;
    this.#x = this.#input;
  }

  finish(): GoldenModel {
    return { model: layersModel({ inputs: this.#input, outputs: this.#x }), places: this.#places };
  }

  add(operation: Operation): void {
    switch (operation.op) {
      case 'conv':
        this.#conv(operation);
        break;
      case 'batchnorm1d':
      case 'batchnorm2d':
        this.#batchNorm(operation);
        break;
      case 'linear':
        this.#linear(operation);
        break;
      case 'relu':
        this.#apply(layers.reLU({ name: this.#name('relu') }));
        break;
      case 'maxpool':
        this.#apply(layers.maxPooling2d({ ...pool(operation), name: this.#name('maxpool') }));
        break;
      case 'avgpool':
        this.#apply(layers.averagePooling2d({ ...pool(operation), name: this.#name('avgpool') }));
        break;
      case 'global_avgpool':
        this.#apply(layers.globalAveragePooling2d({ name: this.#name('global_avgpool') }));
        break;
      case 'flatten': {
        const [, ...map] = this.#x.shape as [null, ...number[]];
        if (map.length === 1) break;
        this.#flattened = map as [number, number, number];
        this.#apply(layers.flatten({ name: this.#name('flatten') }));
        break;
      }
      case 'block': {
        const start = this.#x;
        this.#conv(operation.conv1);
        this.#batchNorm(operation.bn1);
        this.#apply(layers.reLU({ name: `${operation.name}.relu1` }));
        this.#conv(operation.conv2);
        this.#batchNorm(operation.bn2);
        const pad = operation.pad_channels_each_side;
        const shortcut =
          operation.shortcut === 'identity'
            ? start
            : (new ZeroPadShortcut({ strides: 2, padChannels: [pad, pad], name: `${operation.name}.shortcut` }).apply(
                start,
              ) as SymbolicTensor);
        this.#x = layers.add({ name: `${operation.name}.add` }).apply([this.#x, shortcut]) as SymbolicTensor;
        this.#apply(layers.reLU({ name: `${operation.name}.relu2` }));
        break;
      }
      default:
        operation satisfies never;
    }
  }

  #conv({ name, in_channels, out_channels, kernel, stride, padding, bias }: ConvOperation): void {
    const samePadding = stride === 1 && padding * 2 + 1 === kernel;
    if (padding > 0 && !samePadding)
      this.#apply(layers.zeroPadding2d({ padding: [padding, padding], name: `${name}.pad` }));
    this.#apply(
      layers.conv2d({
        name,
        filters: out_channels,
        kernelSize: kernel,
        strides: stride,
        padding: samePadding ? 'same' : 'valid',
        useBias: bias,
        kernelInitializer: 'zeros',
      }),
    );
    const shape = [kernel, kernel, in_channels, out_channels] as const;
    this.#place(`${name}.weight`, name, 0, shape, convOrder(shape));
    if (bias) this.#place(`${name}.bias`, name, 1, [out_channels]);
  }

  #batchNorm({ name, channels, eps, momentum }: BatchNormOperation): void {
    this.#apply(layers.batchNormalization({ name, epsilon: eps, momentum: 1 - momentum }));
    ['weight', 'bias', 'running_mean', 'running_var'].forEach((tensor, weight) => {
      this.#place(`${name}.${tensor}`, name, weight, [channels]);
    });
  }

  #linear({ name, in_features, out_features, bias }: LinearOperation): void {
    this.#apply(layers.dense({ name, units: out_features, useBias: bias, kernelInitializer: 'zeros' }));
    const map = this.#flattened ?? [1, 1, in_features];
    this.#flattened = undefined;
    this.#place(`${name}.weight`, name, 0, [in_features, out_features], linearOrder(map, out_features));
    if (bias) this.#place(`${name}.bias`, name, 1, [out_features]);
  }

  #apply(layer: layers.Layer): void {
    this.#x = layer.apply(this.#x) as SymbolicTensor;
  }

  #place(tensor: string, layer: string, weight: number, shape: readonly number[], order?: Order): void {
    this.#places.set(tensor, {
      layer,
      weight,
      shape,
      fromTorch: (values) => (order ? Float32Array.from(order, (source) => values[source]!) : values.slice()),
      toTorch: (values) => {
        if (!order) return values.slice();
        const torch = new Float32Array(values.length);
        order.forEach((target, i) => {
          torch[target] = values[i]!;
        });
        return torch;
      },
    });
  }

  #name(operation: string): string {
    return `${operation}_${this.#unnamed++}`;
  }
}

function pool({ kernel, stride }: { kernel: number; stride: number }) {
  return { poolSize: kernel, strides: stride };
}

/** [kh, kw, in, out] from [out, in, kh, kw] */
function convOrder([height, width, inputs, outputs]: readonly [number, number, number, number]): Order {
  const order = new Int32Array(height * width * inputs * outputs);
  let target = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let i = 0; i < inputs; i++) {
        for (let o = 0; o < outputs; o++) order[target++] = ((o * inputs + i) * height + y) * width + x;
      }
    }
  }
  return order;
}

/** [h * w * c, out] from [out, c * h * w] */
function linearOrder([height, width, channels]: readonly [number, number, number], outputs: number): Order {
  const inputs = height * width * channels;
  const order = new Int32Array(inputs * outputs);
  let target = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) {
        for (let o = 0; o < outputs; o++) order[target++] = o * inputs + (c * height + y) * width + x;
      }
    }
  }
  return order;
}
