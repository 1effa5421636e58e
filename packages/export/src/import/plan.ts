import * as tf from '@tensorflow/tfjs-core';
import { input as inputLayer, type LayersModel, model as modelOf, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { product } from './constant.ts';
import type { ImportLimits } from './limits.ts';

export type Layer = ReturnType<typeof inputLayer>['sourceLayer'];

export interface Weight {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

export interface LayerSpec {
  /** A wish; it is made unique. */
  readonly name: string;
  /** Of the output without the batch, channels last. */
  readonly shape: readonly number[];
  readonly inputs: readonly PlannedLayer[];
  /** Makes the layer; `weights` are those below, after everything that was absorbed. */
  readonly create: (name: string, weights: ReadonlyMap<string, Weight>) => Layer;
  /** By the names that the layer gives its variables. */
  readonly weights?: ReadonlyMap<string, Weight>;
  /** No value can be below 0, whatever the weights. */
  readonly nonNegative?: boolean;
  /** Takes y * scale[channel] + shift[channel] into the weights. Only for layers that are linear in them. */
  readonly absorb?: (weights: Map<string, Weight>, scale: Float32Array, shift: Float32Array) => void;
}

export interface PlannedLayer extends LayerSpec {
  readonly name: string;
  /** Layers on the longest way from the input. */
  readonly depth: number;
  readonly nonNegative: boolean;
  readonly weights: Map<string, Weight>;
}

/** A LayersModel that is not built yet: what it will consist of is known, and no tensor is allocated. */
export class LayerPlan {
  readonly #layers: PlannedLayer[] = [];
  readonly #names = new Set<string>();
  readonly #limits: ImportLimits;
  readonly input: PlannedLayer;

  constructor(inputName: string, inputShape: readonly number[], limits: ImportLimits) {
    this.#limits = limits;
    this.input = this.add({ name: inputName, shape: inputShape, inputs: [], create: () => unreachable() });
  }

  /** @throws Error when the output is empty or beyond the limits. */
  add(spec: LayerSpec): PlannedLayer {
    const { shape } = spec;
    const { values, depth: maxDepth } = this.#limits;
    if (shape.some((size) => !Number.isInteger(size) || size < 1) || product(shape) > values) {
      throw new Error(`gives [batch, ${shape}]; expected sizes of at least 1 and at most ${values} values an image`);
    }
    const depth = spec.inputs.reduce((deepest, layer) => Math.max(deepest, layer.depth + 1), 0);
    if (depth > maxDepth) throw new Error(`is layer ${depth} from the input; expected at most ${maxDepth}`);
    const planned = {
      ...spec,
      depth,
      name: this.#claim(spec.name),
      nonNegative: spec.nonNegative ?? false,
      weights: new Map(spec.weights ?? []),
    };
    this.#layers.push(planned);
    return planned;
  }

  /**
   * Builds what leads to `output` on the active engine.
   *
   * @throws Error when tfjs-layers refuses a layer; nothing stays allocated.
   */
  build(name: string, output: PlannedLayer): LayersModel {
    const needed = this.#leadingTo(output);
    const images = inputLayer({ name: this.input.name, shape: [...this.input.shape] });
    const tensors = new Map<PlannedLayer, SymbolicTensor>([[this.input, images]]);
    const built: Layer[] = [];
    try {
      for (const planned of this.#layers) {
        if (planned === this.input || !needed.has(planned)) continue;
        const layer = planned.create(planned.name, planned.weights);
        built.push(layer);
        const inputs = planned.inputs.map((source) => tensors.get(source)!);
        // Where a layer refuses one of its variables, the numbers for it are left.
        tf.tidy(() => {
          tensors.set(planned, layer.apply(inputs.length === 1 ? inputs[0]! : inputs) as SymbolicTensor);
        });
        expectShape(planned, tensors.get(planned)!);
        setWeights(layer, planned.weights);
      }
      return modelOf({ name, inputs: images, outputs: tensors.get(output)! });
    } catch (error) {
      for (const layer of built) if (layer.built) layer.dispose();
      throw error;
    }
  }

  #leadingTo(output: PlannedLayer): Set<PlannedLayer> {
    const needed = new Set<PlannedLayer>();
    const open = [output];
    for (let layer = open.pop(); layer; layer = open.pop()) {
      if (needed.has(layer)) continue;
      needed.add(layer);
      open.push(...layer.inputs);
    }
    return needed;
  }

  #claim(wanted: string): string {
    let name = wanted;
    for (let count = 1; this.#names.has(name); count++) name = `${wanted}_${count}`;
    this.#names.add(name);
    return name;
  }
}

function setWeights(layer: Layer, weights: ReadonlyMap<string, Weight>): void {
  for (const variable of layer.weights) {
    const { data, shape } = weights.get(variable.originalName.split('/').at(-1)!)!;
    tf.tidy(() => {
      variable.write(tf.tensor(data, [...shape], 'float32'));
    });
  }
}

/** A disagreement here would be an error of the importer; a wrong network is worse than none. */
function expectShape({ name, shape }: PlannedLayer, tensor: SymbolicTensor): void {
  if (String(tensor.shape.slice(1)) !== String(shape)) {
    throw new Error(
      `Layer '${name}' should give [batch, ${shape}], but tfjs-layers makes it [${tensor.shape.map(String)}].`,
    );
  }
}

function unreachable(): never {
  throw new Error('The input layer is made by the plan itself.');
}
