import type { OnnxGraph } from '../graph/onnx-graph.ts';
import type { Reads, Value } from './converter.ts';
import { arrange, hasOneOrder, type Layout, permutation, usualLayout } from './layout.ts';

/** Brings values into the layouts that layers want, with as few nodes as it takes: each value once into each. */
export class Arranger {
  readonly #graph: OnnxGraph;
  readonly #arranged = new Map<string, string>();

  constructor(graph: OnnxGraph) {
    this.#graph = graph;
  }

  /** The inputs of one layer. */
  prepare(values: readonly Value[], reads: Reads): Value[] {
    if (reads === 'any') return [...values];
    if (reads !== 'alike') return values.map((value) => this.lay(value, reads));
    const layout = this.#commonLayout(values);
    const [first] = values;
    const sameOrder = values.every(({ featureOrder }) => String(featureOrder) === String(first!.featureOrder));
    return sameOrder && first!.featureOrder ? [...values] : values.map((value) => this.lay(value, layout));
  }

  /** The value in this layout; a vector in TensorFlow's order of features. */
  lay(value: Value, layout: Layout): Value {
    const { name, shape, featureOrder } = value;
    if (shape.length === 1)
      return featureOrder ? { ...value, name: this.#inOrder(value), featureOrder: undefined } : value;
    if (value.layout === layout) return value;
    const perm = permutation(value.layout, layout, shape.length);
    const key = `${name} ${perm}`;
    const arranged =
      this.#arranged.get(key) ??
      (hasOneOrder(shape) ? this.#reshaped(value, layout) : this.#transposed(value, layout, perm));
    this.#arranged.set(key, arranged);
    return { ...value, name: arranged, layout };
  }

  /** The layout that most of the values have or have been brought into already. */
  #commonLayout(values: readonly Value[]): Layout {
    const maps = values.filter(({ shape }) => shape.length > 1);
    const usual = usualLayout(Math.max(...values.map(({ shape }) => shape.length)));
    const missing = (layout: Layout) => maps.filter((value) => !this.#has(value, layout)).length;
    const other = usual === 'channelsFirst' ? 'channelsLast' : 'channelsFirst';
    return missing(other) < missing(usual) ? other : usual;
  }

  #has({ name, shape, layout }: Value, wanted: Layout): boolean {
    return layout === wanted || this.#arranged.has(`${name} ${permutation(layout, wanted, shape.length)}`);
  }

  #transposed({ name }: Value, layout: Layout, perm: readonly number[]): string {
    return this.#graph.addNode(`${name}/${partOf(layout)}`, 'Transpose', [name], { perm: { ints: perm } });
  }

  #reshaped({ name, shape }: Value, layout: Layout): string {
    const target = BigInt64Array.from([0, ...arrange(shape, layout)], BigInt);
    const part = `${name}/${partOf(layout)}`;
    return this.#graph.addNode(part, 'Reshape', [
      name,
      this.#graph.addInitializer(`${part}/shape`, target, [target.length]),
    ]);
  }

  #inOrder({ name, featureOrder }: Value): string {
    const key = `${name} in order`;
    const known = this.#arranged.get(key);
    if (known) return known;
    const positions = new BigInt64Array(featureOrder!.length);
    featureOrder!.forEach((feature, i) => {
      positions[feature] = BigInt(i);
    });
    const indices = this.#graph.addInitializer(`${name}/channels_last`, positions, [positions.length]);
    const ordered = this.#graph.addNode(`${name}/reorder`, 'Gather', [name, indices], { axis: { int: 1 } });
    this.#arranged.set(key, ordered);
    return ordered;
  }
}

function partOf(layout: Layout): string {
  return layout === 'channelsFirst' ? 'channels_first' : 'channels_last';
}
