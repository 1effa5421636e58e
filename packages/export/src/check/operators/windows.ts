import { expectDims, floatType, input, type NodeView, type Operator, type Operators } from '../operator.ts';
import { type Dim, describeDims, mayBeEqual } from '../value-type.ts';

interface Windows {
  readonly kernel: readonly Dim[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** All zeros before, then all after. */
  readonly pads: readonly number[];
  readonly autoPad: string;
}

const windowAttributes = {
  kernel_shape: 'ints',
  strides: 'ints',
  pads: 'ints',
  auto_pad: 'string',
} as const;

function readWindows({ attributes }: NodeView, axes: number, kernel: readonly Dim[]): Windows {
  const list = (name: string, length: number, fallback: number, least: number) => {
    const values = attributes.ints(name) ?? Array<number>(length).fill(fallback);
    if (values.length !== length || values.some((value) => value < least)) {
      throw new Error(`has ${name} [${values}]; expected ${length} numbers of at least ${least}`);
    }
    return values;
  };
  const given = attributes.ints('kernel_shape');
  if (given && (given.length !== axes || given.some((size, axis) => size < 1 || !mayBeEqual(size, kernel[axis])))) {
    throw new Error(`has kernel_shape [${given}], but its kernel covers ${describeDims(kernel)}`);
  }
  const autoPad = attributes.string('auto_pad', 'NOTSET');
  if (!['NOTSET', 'SAME_UPPER', 'SAME_LOWER', 'VALID'].includes(autoPad)) throw new Error(`has auto_pad '${autoPad}'`);
  return {
    kernel,
    strides: list('strides', axes, 1, 1),
    dilations: list('dilations', axes, 1, 1),
    pads: list('pads', 2 * axes, 0, 0),
    autoPad,
  };
}

/** How many positions a window has along each axis. */
function positions(sizes: readonly Dim[], windows: Windows, ceil = false): Dim[] {
  const { kernel, strides, dilations, pads, autoPad } = windows;
  return sizes.map((size, axis) => {
    const [window, stride] = [kernel[axis], strides[axis]!];
    if (typeof size !== 'number' || typeof window !== 'number') return undefined;
    if (autoPad.startsWith('SAME')) return Math.ceil(size / stride);
    const [before, after] = autoPad === 'VALID' ? [0, 0] : [pads[axis]!, pads[axis + sizes.length]!];
    const reach = (window - 1) * dilations[axis]! + 1;
    const steps = (size + before + after - reach) / stride;
    if (steps < 0)
      throw new Error(`has a window of ${reach} over an image of ${size + before + after} along axis ${axis + 2}`);
    if (!ceil) return Math.floor(steps) + 1;
    const count = Math.ceil(steps) + 1;
    // A window that would begin behind the image and the padding before it is left out.
    return (count - 1) * stride >= size + before ? count - 1 : count;
  });
}

function pooling(attributes: Operator['attributes'], outputs = 1): Operator {
  return {
    inputs: [1, 1],
    outputs,
    attributes: {
      ...windowAttributes,
      kernel_shape: { kind: 'ints', required: true },
      ceil_mode: { kind: 'int', since: 10 },
      ...attributes,
    },
    infer(node) {
      const { type, dims } = input(node, 0);
      const kernel = node.attributes.ints('kernel_shape')!;
      if (dims && dims.length !== kernel.length + 2) {
        throw new Error(`has a window of ${kernel.length} axes over ${describeDims(dims)}`);
      }
      const windows = readWindows(node, kernel.length, kernel);
      const ceil = node.attributes.int('ceil_mode', 0) === 1;
      const pooled = dims && [...dims.slice(0, 2), ...positions(dims.slice(2), windows, ceil)];
      return [
        { type, dims: pooled },
        { type: 'int64', dims: pooled },
      ].slice(0, node.outputs);
    },
  };
}

const globalPooling: Operator = {
  inputs: [1, 1],
  infer(node) {
    const { dims } = input(node, 0);
    if (dims && dims.length < 3) throw new Error(`takes images, but gets ${describeDims(dims)}`);
    return { type: floatType(node), dims: dims?.map((dim, axis) => (axis < 2 ? dim : 1)) };
  },
};

/** The kernel's shape and the number of channels that it takes, checked against the input's. */
function readKernel(node: NodeView, inputsAxis: number) {
  const kernel = input(node, 1).dims;
  const { dims } = input(node, 0);
  const group = node.attributes.int('group', 1);
  if (!kernel || !dims) return undefined;
  if (kernel.length !== dims.length || kernel.length < 3) {
    throw new Error(`has a kernel ${describeDims(kernel)} for an input ${describeDims(dims)}`);
  }
  const perGroup = kernel[inputsAxis];
  const channels = inputsAxis === 0 || typeof perGroup !== 'number' ? perGroup : perGroup * group;
  if (!mayBeEqual(channels, dims[1])) {
    throw new Error(`has a kernel for ${channels} channels, but its input has ${dims[1]}`);
  }
  // The axis that is not divided among the groups comes first: filters of Conv, inputs of ConvTranspose.
  if (group < 1 || (typeof kernel[0] === 'number' && kernel[0] % group !== 0)) {
    throw new Error(`has ${group} groups, which do not divide the kernel ${describeDims(kernel)}`);
  }
  const filters = kernel[1 - inputsAxis];
  return { dims, kernel, group, filters, windows: readWindows(node, kernel.length - 2, kernel.slice(2)) };
}

export const windowOperators: Operators = {
  Conv: {
    inputs: [2, 3],
    attributes: { ...windowAttributes, dilations: 'ints', group: 'int' },
    infer(node) {
      const type = floatType(node);
      const read = readKernel(node, 1);
      if (!read) return { type, dims: undefined };
      const { dims, filters, windows } = read;
      expectDims(node, 2, [filters]);
      return { type, dims: [dims[0], filters, ...positions(dims.slice(2), windows)] };
    },
  },
  ConvTranspose: {
    inputs: [2, 3],
    attributes: { ...windowAttributes, dilations: 'ints', group: 'int', output_padding: 'ints', output_shape: 'ints' },
    infer(node) {
      const type = floatType(node);
      const read = readKernel(node, 0);
      if (!read) return { type, dims: undefined };
      const { dims, group, filters, windows } = read;
      const outputs = typeof filters === 'number' ? filters * group : undefined;
      expectDims(node, 2, [outputs]);
      const { kernel, strides, dilations, pads, autoPad } = windows;
      const extra = node.attributes.ints('output_padding');
      const given = node.attributes.ints('output_shape');
      const sizes = dims.slice(2).map((size, axis): Dim => {
        if (given) return given[axis];
        const window = kernel[axis];
        if (typeof size !== 'number' || typeof window !== 'number') return undefined;
        if (autoPad.startsWith('SAME')) return size * strides[axis]!;
        const padding = autoPad === 'VALID' ? 0 : pads[axis]! + pads[axis + dims.length - 2]!;
        return strides[axis]! * (size - 1) + (extra?.[axis] ?? 0) + (window - 1) * dilations[axis]! + 1 - padding;
      });
      return { type, dims: [dims[0], outputs, ...sizes] };
    },
  },
  MaxPool: pooling({ dilations: { kind: 'ints', since: 10 }, storage_order: { kind: 'int', since: 8 } }, 2),
  AveragePool: pooling({ count_include_pad: 'int', dilations: { kind: 'ints', since: 19 } }),
  LpPool: pooling({ p: 'int', dilations: { kind: 'ints', since: 18 } }),
  GlobalAveragePool: globalPooling,
  GlobalMaxPool: globalPooling,
};
