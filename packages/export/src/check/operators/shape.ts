import { contentsOf } from '../contents.ts';
import {
  axisOf,
  commonType,
  dimsOfRank,
  type Inferred,
  input,
  type NodeView,
  numbers,
  type Operators,
} from '../operator.ts';
import { broadcast, type Dim, describeDims, elementType, mayBeEqual, productOf, sizesOf } from '../value-type.ts';

/** The axes that a node names, in an input or, in older versions, an attribute; undefined when they cannot be known. */
function readAxes(node: NodeView, index: number): readonly number[] | 'none' | undefined {
  if (node.attributes.has('axes')) return node.attributes.ints('axes');
  if (!node.inputs[index]) return 'none';
  return numbers(node, index);
}

function flatten(node: NodeView): Inferred {
  const { type, dims } = input(node, 0);
  if (!dims) return { type, dims: [undefined, undefined] };
  const axis = axisOf(node.attributes.int('axis', 1), dims.length, dims.length);
  return { type, dims: [productOf(dims.slice(0, axis)), productOf(dims.slice(axis))] };
}

function reshape(node: NodeView): Inferred {
  const { type, dims, contents: values } = input(node, 0);
  const { contents, dims: shapeDims } = input(node, 1);
  if (!contents) {
    const rank = shapeDims?.[0];
    return { type, dims: typeof rank === 'number' ? Array<Dim>(rank).fill(undefined) : undefined };
  }
  const copiesZero = node.attributes.int('allowzero', 0) === 0;
  const wanted = contents.map((size, axis): Dim => {
    if (size !== 0 || !copiesZero) return size;
    if (dims && axis >= dims.length) throw new Error(`copies axis ${axis} of ${describeDims(dims)}`);
    return dims?.[axis];
  });
  const open = wanted.indexOf(-1);
  if (!dims) return { type, dims: wanted.map((size) => (size === -1 ? undefined : size)) };
  if (open >= 0 && wanted.indexOf(-1, open + 1) > 0) throw new Error(`leaves two sizes open in [${contents}]`);
  // Names on both sides cancel; what then is left of the input lies in the open size.
  const names = dims.filter((size) => typeof size !== 'number');
  for (const size of wanted.filter((size) => typeof size !== 'number')) {
    const place = size === undefined ? -1 : names.indexOf(size);
    if (place < 0) return { type, dims: wanted.map((each) => (each === -1 ? undefined : each)) };
    names.splice(place, 1);
  }
  const total = productOf(dims.filter((size) => typeof size === 'number')) as number;
  const rest = productOf(wanted.filter((size) => typeof size === 'number' && size !== -1)) as number;
  const mismatch = () => new Error(`cannot make [${contents}] of ${describeDims(dims)}`);
  if (open < 0) {
    if (names.length === 0 && total !== rest) throw mismatch();
    return { type, dims: wanted, contents: values };
  }
  if (names.length > 0) {
    const size = names.length === 1 && total === rest ? names[0] : undefined;
    return { type, dims: wanted.with(open, size) };
  }
  if (rest === 0 || total % rest !== 0) throw mismatch();
  return { type, dims: wanted.with(open, total / rest), contents: values };
}

function slice(node: NodeView): Inferred {
  const { type, dims, contents } = input(node, 0);
  if (!dims) return { type, dims };
  const listed = (name: string, index: number) => node.attributes.ints(name) ?? numbers(node, index);
  const [starts, ends, given] = [listed('starts', 1), listed('ends', 2), listed('axes', 3)];
  const steps = node.inputs[4] ? numbers(node, 4) : undefined;
  if (!starts || !ends || (node.inputs[3] && !given) || (node.inputs[4] && !steps)) {
    return { type, dims: dims.map(() => undefined) };
  }
  if (ends.length !== starts.length || (given ?? starts).length !== starts.length) {
    throw new Error(`has ${starts.length} starts and ${ends.length} ends`);
  }
  const result = [...dims];
  let kept = contents;
  for (const [i, named] of (given ?? starts.map((_, axis) => axis)).entries()) {
    const axis = axisOf(named, dims.length);
    const size = dims[axis];
    const step = steps?.[i] ?? 1;
    if (step === 0) throw new Error('has a step of 0');
    if (typeof size !== 'number') {
      const whole = starts[i] === 0 && step === 1 && ends[i]! >= 2 ** 31 - 1;
      if (!whole) result[axis] = undefined;
      continue;
    }
    const place = (position: number, least: number, most: number) =>
      Math.min(Math.max(position < 0 ? position + size : position, least), most);
    const start = step > 0 ? place(starts[i]!, 0, size) : place(starts[i]!, 0, size - 1);
    const end = step > 0 ? place(ends[i]!, 0, size) : place(ends[i]!, -1, size - 1);
    result[axis] = Math.max(0, Math.ceil((end - start) / step));
    kept = step === 1 && dims.length === 1 ? kept?.slice(start, end) : undefined;
  }
  return { type, dims: result, contents: kept };
}

function concat(node: NodeView): Inferred {
  const type = commonType(node);
  const shapes = node.inputs.map((value) => value?.dims);
  const contents = node.inputs.every((value) => value?.contents && value.dims?.length === 1)
    ? node.inputs.flatMap((value) => value!.contents!)
    : undefined;
  const known = shapes.filter((dims) => dims !== undefined);
  const [first] = known;
  if (!first) return { type, dims: undefined };
  const axis = axisOf(node.attributes.int('axis', 0), first.length);
  const dims = first.map((size, place): Dim => {
    const sizes = known.map((each) => {
      if (each.length !== first.length) {
        throw new Error(`joins ${describeDims(first)} and ${describeDims(each)}, which differ in their number of axes`);
      }
      return each[place];
    });
    if (place !== axis) {
      const wrong = sizes.find((other) => !mayBeEqual(other, size));
      if (wrong !== undefined) throw new Error(`joins sizes ${size} and ${wrong} along axis ${place}`);
      return sizes.find((other) => typeof other === 'number') ?? size;
    }
    const all = known.length === shapes.length && sizes.every((other) => typeof other === 'number');
    return all ? (sizes as number[]).reduce((sum, other) => sum + other, 0) : undefined;
  });
  return { type, dims, contents };
}

function split(node: NodeView): Inferred[] {
  const { type, dims } = input(node, 0);
  const axis = dims && axisOf(node.attributes.int('axis', 0), dims.length);
  const size = dims?.[axis!];
  const parts = node.attributes.ints('split') ?? numbers(node, 1);
  if (parts && parts.length !== node.outputs) throw new Error(`has ${node.outputs} outputs for ${parts.length} parts`);
  const total = parts?.reduce((sum, part) => sum + part, 0);
  if (!mayBeEqual(total, size)) throw new Error(`splits ${size} into parts [${parts}]`);
  return Array.from({ length: node.outputs }, (_, i) => {
    const equal = Math.ceil(Number(size) / node.outputs);
    const rest = Math.min(equal, Number(size) - i * equal);
    const part = parts?.[i] ?? (typeof size === 'number' && !node.inputs[1] ? rest : undefined);
    return { type, dims: dims?.with(axis!, part) };
  });
}

function gather(node: NodeView): Inferred {
  const { type, dims, contents } = input(node, 0);
  const { dims: indices } = input(node, 1);
  if (!dims || !indices) return { type, dims: undefined };
  const axis = axisOf(node.attributes.int('axis', 0), dims.length);
  const taken = numbers(node, 1);
  const size = dims[axis];
  const outside = taken?.find((index) => typeof size === 'number' && (index >= size || index < -size));
  if (outside !== undefined) throw new Error(`reads place ${outside} of an axis of ${size}`);
  return {
    type,
    dims: [...dims.slice(0, axis), ...indices, ...dims.slice(axis + 1)],
    contents: dims.length === 1 && taken ? taken.map((index) => contents?.at(index)) : undefined,
  };
}

function pad(node: NodeView): Inferred {
  const { type, dims } = input(node, 0);
  const pads = node.attributes.ints('pads') ?? numbers(node, 1);
  if (!dims) return { type, dims };
  const axes = node.inputs[3] ? numbers(node, 3) : dims.map((_, axis) => axis);
  if (!pads || !axes) return { type, dims: dims.map(() => undefined) };
  if (pads.length !== 2 * axes.length) throw new Error(`has ${pads.length} pads for ${axes.length} axes`);
  const result = [...dims];
  for (const [i, named] of axes.entries()) {
    const axis = axisOf(named, dims.length);
    const [size, added] = [dims[axis], pads[i]! + pads[i + axes.length]!];
    if (typeof size === 'number' && size + added < 0) throw new Error(`cuts ${-added} off an axis of ${size}`);
    result[axis] = typeof size === 'number' ? size + added : added === 0 ? size : undefined;
  }
  return { type, dims: result };
}

function reduce(axesInputSince: number): Operators[string] {
  return {
    inputs: (opset) => [1, opset >= axesInputSince ? 2 : 1],
    attributes: {
      axes: { kind: 'ints', until: axesInputSince - 1 },
      keepdims: 'int',
      noop_with_empty_axes: { kind: 'int', since: axesInputSince },
    },
    infer(node) {
      const { type, dims } = input(node, 0);
      const axes = readAxes(node, 1);
      const keep = node.attributes.int('keepdims', 1) === 1;
      if (!dims || axes === undefined) return { type, dims: keep ? dims?.map(() => undefined) : undefined };
      if (axes !== 'none' && axes.length === 0 && node.attributes.int('noop_with_empty_axes', 0) === 1)
        return { type, dims };
      const everything = axes === 'none' || axes.length === 0;
      const reduced = new Set(everything ? dims.keys() : axes.map((axis) => axisOf(axis, dims.length)));
      return {
        type,
        dims: keep
          ? dims.map((size, axis) => (reduced.has(axis) ? 1 : size))
          : dims.filter((_, axis) => !reduced.has(axis)),
      };
    },
  };
}

export const shapeOperators: Operators = {
  Flatten: { inputs: [1, 1], attributes: { axis: 'int' }, infer: flatten },
  Reshape: { inputs: [2, 2], attributes: { allowzero: { kind: 'int', since: 14 } }, infer: reshape },
  Transpose: {
    inputs: [1, 1],
    attributes: { perm: 'ints' },
    infer(node) {
      const { type, dims } = input(node, 0);
      const order = node.attributes.ints('perm') ?? dims?.map((_, axis) => dims.length - 1 - axis);
      if (dims && String(order?.toSorted((a, b) => a - b)) !== String([...dims.keys()])) {
        throw new Error(`has perm [${order}] for ${describeDims(dims)}`);
      }
      return { type, dims: dims && order!.map((axis) => dims[axis]) };
    },
  },
  Squeeze: {
    inputs: (opset) => [1, opset < 13 ? 1 : 2],
    attributes: { axes: { kind: 'ints', until: 12 } },
    infer(node) {
      const { type, dims, contents } = input(node, 0);
      const axes = readAxes(node, 1);
      if (!dims || axes === undefined || (axes === 'none' && dims.some((size) => typeof size !== 'number'))) {
        return { type, dims: undefined };
      }
      const gone = axes === 'none' ? undefined : axes.map((axis) => axisOf(axis, dims.length));
      const wrong = gone?.find((axis) => !mayBeEqual(dims[axis], 1));
      if (wrong !== undefined)
        throw new Error(`takes away axis ${wrong} of ${describeDims(dims)}, whose size is not 1`);
      return { type, dims: dims.filter((size, axis) => (gone ? !gone.includes(axis) : size !== 1)), contents };
    },
  },
  Unsqueeze: {
    inputs: (opset) => (opset < 13 ? [1, 1] : [2, 2]),
    attributes: { axes: { kind: 'ints', required: true, until: 12 } },
    infer(node) {
      const { type, dims, contents } = input(node, 0);
      const axes = readAxes(node, 1);
      if (!dims || !axes || axes === 'none') return { type, dims: undefined };
      const rank = dims.length + axes.length;
      const added = new Set(axes.map((axis) => axisOf(axis, rank)));
      const rest = dims.values();
      return {
        type,
        dims: Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : rest.next().value)),
        contents,
      };
    },
  },
  Concat: {
    inputs: [1, Number.POSITIVE_INFINITY],
    attributes: { axis: { kind: 'int', required: true } },
    infer: concat,
  },
  Split: {
    inputs: (opset) => [1, opset < 13 ? 1 : 2],
    outputs: Number.POSITIVE_INFINITY,
    attributes: { axis: 'int', split: { kind: 'ints', until: 12 }, num_outputs: { kind: 'int', since: 18 } },
    infer: split,
  },
  Slice: {
    inputs: (opset) => (opset < 10 ? [1, 1] : [3, 5]),
    attributes: {
      starts: { kind: 'ints', required: true, until: 9 },
      ends: { kind: 'ints', required: true, until: 9 },
      axes: { kind: 'ints', until: 9 },
    },
    infer: slice,
  },
  Gather: { inputs: [2, 2], attributes: { axis: 'int' }, infer: gather },
  Pad: {
    inputs: (opset) => (opset < 11 ? [1, 1] : [2, opset < 18 ? 3 : 4]),
    attributes: {
      mode: 'string',
      pads: { kind: 'ints', required: true, until: 10 },
      value: { kind: 'float', until: 10 },
    },
    infer: pad,
  },
  Shape: {
    inputs: [1, 1],
    attributes: { start: { kind: 'int', since: 15 }, end: { kind: 'int', since: 15 } },
    infer(node) {
      const { dims } = input(node, 0);
      if (!dims) return { type: 'int64', dims: [undefined] };
      const contents = dims.slice(node.attributes.int('start', 0), node.attributes.int('end', dims.length));
      return { type: 'int64', dims: [contents.length], contents };
    },
  },
  Size: { inputs: [1, 1], infer: () => ({ type: 'int64', dims: [] }) },
  Expand: {
    since: 8,
    inputs: [2, 2],
    infer: (node) => ({ type: input(node, 0).type, dims: broadcast([input(node, 0).dims, input(node, 1).contents]) }),
  },
  Tile: {
    inputs: [2, 2],
    infer(node) {
      const { type, dims } = input(node, 0);
      const repeats = numbers(node, 1);
      if (dims && repeats && repeats.length !== dims.length)
        throw new Error(`repeats [${repeats}] ${describeDims(dims)}`);
      return { type, dims: dims?.map((size, axis) => (repeats ? productOf([size, repeats[axis]]) : undefined)) };
    },
  },
  Constant: {
    inputs: [0, 0],
    attributes: {
      value: 'tensor',
      value_int: { kind: 'int', since: 12 },
      value_ints: { kind: 'ints', since: 12 },
      value_float: { kind: 'float', since: 12 },
      value_floats: { kind: 'floats', since: 12 },
    },
    infer({ attributes }) {
      const tensor = attributes.tensor('value');
      if (tensor) return { type: elementType(tensor.dataType), dims: sizesOf(tensor), contents: contentsOf(tensor) };
      if (attributes.has('value_int')) return { type: 'int64', dims: [], contents: [attributes.int('value_int', 0)] };
      const list = attributes.ints('value_ints');
      if (attributes.has('value_ints')) return { type: 'int64', dims: [list!.length], contents: list };
      return { type: 'float32', dims: attributes.has('value_float') ? [] : [undefined] };
    },
  },
  ConstantOfShape: {
    since: 9,
    inputs: [1, 1],
    attributes: { value: 'tensor' },
    infer(node) {
      const { contents } = input(node, 0);
      return { type: elementType(node.attributes.tensor('value')?.dataType ?? 1), dims: contents };
    },
  },
  Resize: {
    since: 10,
    inputs: (opset) => (opset === 10 ? [2, 2] : [opset < 13 ? 3 : 1, 4]),
    attributes: {
      mode: 'string',
      coordinate_transformation_mode: { kind: 'string', since: 11 },
      cubic_coeff_a: { kind: 'float', since: 11 },
      exclude_outside: { kind: 'int', since: 11 },
      extrapolation_value: { kind: 'float', since: 11 },
      nearest_mode: { kind: 'string', since: 11 },
      antialias: { kind: 'int', since: 18 },
      axes: { kind: 'ints', since: 18 },
      keep_aspect_ratio_policy: { kind: 'string', since: 18 },
    },
    infer(node) {
      const { type, dims } = input(node, 0);
      const wanted = node.inputs[3]?.contents;
      if (wanted && dims && wanted.length === dims.length && !node.attributes.has('axes'))
        return { type, dims: wanted };
      const { contents: factors } = node.inputs[node.opset === 10 ? 1 : 2] ?? {};
      if (!dims || !factors || factors.length !== dims.length) return { type, dims: dims?.map(() => undefined) };
      return {
        type,
        dims: dims.map((size, axis) => {
          const factor = factors[axis] as number;
          return typeof size === 'number' ? Math.floor(size * factor) : factor === 1 ? size : undefined;
        }),
      };
    },
  },
  DepthToSpace: {
    inputs: [1, 1],
    attributes: { blocksize: { kind: 'int', required: true }, mode: { kind: 'string', since: 11 } },
    infer: (node) =>
      blocks(
        node,
        (channels, block) => channels / block ** 2,
        (size, block) => size * block,
      ),
  },
  SpaceToDepth: {
    inputs: [1, 1],
    attributes: { blocksize: { kind: 'int', required: true } },
    infer: (node) =>
      blocks(
        node,
        (channels, block) => channels * block ** 2,
        (size, block) => size / block,
      ),
  },
  ReduceMean: reduce(18),
  ReduceMax: reduce(18),
  ReduceLogSumExp: reduce(18),
  ReduceMin: reduce(18),
  ReduceProd: reduce(18),
  ReduceL1: reduce(18),
  ReduceL2: reduce(18),
  ReduceSumSquare: reduce(18),
  ReduceSum: reduce(13),
};

function blocks(
  node: NodeView,
  ofChannels: (channels: number, block: number) => number,
  ofSize: (size: number, block: number) => number,
): Inferred {
  const block = node.attributes.int('blocksize', 1);
  const dims = dimsOfRank(node, 0, 4)?.map((size, axis): Dim => {
    if (axis === 0 || typeof size !== 'number') return axis === 0 ? size : undefined;
    const result = (axis === 1 ? ofChannels : ofSize)(size, block);
    if (!Number.isInteger(result))
      throw new Error(`has blocks of ${block}, which do not divide axis ${axis} of size ${size}`);
    return result;
  });
  return { type: input(node, 0).type, dims };
}
