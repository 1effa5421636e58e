import { type File, type FileNode, type FileTensor, floats, integers } from './onnx-files.ts';
import { randomNumbers } from './oracle.ts';

interface ConvOptions {
  readonly filters: number;
  readonly inputs: number;
  readonly kernel?: number;
  readonly strides?: number;
  /** [top, left, bottom, right], as tf2onnx works TensorFlow's `same` out; `auto` where sizes were open. */
  readonly pads?: readonly number[] | 'auto';
  readonly depthwise?: boolean;
  /** Without, batch normalisation follows that could not be folded. */
  readonly bias?: boolean;
}

/**
 * Writes graphs as tf2onnx 1.16 does for Keras CNNs, told from its source: operators have TensorFlow's names; convolutions channels
 * first between transposes, of which only those at the ends are left, or reshapes where a transpose would move nothing; batch normalisation
 * and biases folded into convolutions; constants folded; dense layers as MatMul and Add, or Gemm.
 */
export class Tf2Onnx {
  readonly nodes: FileNode[] = [];
  readonly tensors: Record<string, FileTensor> = {};
  /** What was written last. */
  last = 'x';
  readonly #next = randomNumbers(11);
  #count = 0;

  add(op: string, inputs: readonly string[] = [this.last], attributes: FileNode['attributes'] = {}, name = op): string {
    const output = `StatefulPartitionedCall/net/${name}:${this.#count++}`;
    this.nodes.push({ op, name: output.replace(/:\d+$/, `__${this.#count}`), inputs, outputs: [output], attributes });
    this.last = output;
    return output;
  }

  weights(dims: readonly number[], { fan = 1, shift = 0 } = {}): string {
    const values = floats(dims, () => shift + (1.7 * this.#next()) / Math.sqrt(fan));
    return this.constant(values);
  }

  constant(tensor: FileTensor): string {
    const name = `const_fold_opt__${this.#count++}`;
    this.tensors[name] = tensor;
    return name;
  }

  scalar(value: number): string {
    return this.constant(floats([], () => value));
  }

  toChannelsFirst(): string {
    return this.add('Transpose', [this.last], { perm: [0, 3, 1, 2] });
  }

  toChannelsLast(): string {
    return this.add('Transpose', [this.last], { perm: [0, 2, 3, 1] });
  }

  conv(
    name: string,
    { filters, inputs, kernel = 3, strides = 1, pads, depthwise = false, bias = true }: ConvOptions,
  ): string {
    const perGroup = depthwise ? 1 : inputs;
    const kernelName = this.weights([filters, perGroup, kernel, kernel], { fan: perGroup * kernel ** 2 });
    const padding = pads === 'auto' ? { auto_pad: 'SAME_UPPER' } : { pads: pads ?? Array(4).fill((kernel - 1) / 2) };
    return this.add(
      'Conv',
      [this.last, kernelName, ...(bias ? [this.weights([filters], { fan: 9 })] : [])],
      {
        dilations: [1, 1],
        group: depthwise ? inputs : 1,
        kernel_shape: [kernel, kernel],
        strides: [strides, strides],
        ...padding,
      },
      `${name}/${depthwise ? 'depthwise' : 'Conv2D'}`,
    );
  }

  batchNorm(name: string, channels: number): string {
    const part = (shift: number) => this.weights([channels], { fan: 30, shift });
    const inputs = [this.last, part(1), part(0), part(0), part(1)];
    return this.add('BatchNormalization', inputs, { epsilon: { float: 0.001 } }, `${name}/FusedBatchNormV3`);
  }

  relu6(name: string): string {
    return this.add('Clip', [this.last, this.scalar(0), this.scalar(6)], {}, `${name}/Relu6`);
  }

  /** Keras's global average pooling, as tf2onnx optimises a ReduceMean. */
  globalPool(op = 'GlobalAveragePool'): string {
    this.add(op, [this.last], {}, 'avg_pool/Mean');
    return this.add('Squeeze', [this.last, this.constant(integers(2, 3))], {}, 'avg_pool/Mean_Squeeze');
  }

  dense(name: string, { inputs, units }: { inputs: number; units: number }): string {
    this.add('MatMul', [this.last, this.weights([inputs, units], { fan: inputs })], {}, `${name}/MatMul`);
    return this.add('Add', [this.last, this.weights([units], { fan: 9 })], {}, `${name}/BiasAdd`);
  }

  file(input: readonly (number | string)[]): File {
    const nodes = [
      ...this.nodes,
      { op: 'Softmax', name: 'predictions/Softmax', inputs: [this.last], attributes: { axis: 1 } },
    ];
    return { nodes, tensors: this.tensors, input, opset: 15 };
  }
}

/** A Keras VGG: pools with `same` padding, and dense layers behind a flattened image. */
export function vgg(): File {
  const net = new Tf2Onnx();
  net.toChannelsFirst();
  net.conv('block1_conv1', { inputs: 3, filters: 8 });
  net.add('Relu');
  const same = { kernel_shape: [2, 2], strides: [2, 2], pads: [0, 0, 1, 0] };
  net.add('MaxPool', [net.last], same, 'block1_pool/MaxPool');
  net.conv('block2_conv1', { inputs: 8, filters: 12, pads: 'auto' });
  net.add('Relu');
  net.toChannelsLast();
  net.add('Reshape', [net.last, net.constant(integers(-1, 6 * 5 * 12))], {}, 'flatten/Reshape');
  const kernel = net.weights([360, 10], { fan: 360 });
  net.add('Gemm', [net.last, kernel, net.weights([10])], { alpha: { float: 1 }, beta: { float: 1 } }, 'fc1/MatMul');
  net.add('Relu');
  net.dense('predictions', { inputs: 10, units: 4 });
  return net.file(['unk__12', 11, 10, 3]);
}

/** A Keras ResNet50's stem and blocks: padding layers, of which the pooling's stays, and a shortcut with a projection. */
export function resnet(): File {
  const net = new Tf2Onnx();
  net.toChannelsFirst();
  net.conv('conv1_conv', { inputs: 3, filters: 8, kernel: 7, strides: 2, pads: [3, 3, 3, 3] });
  net.add('Relu');
  net.add('Pad', [net.last, net.constant(integers(0, 0, 1, 1, 0, 0, 1, 1)), net.scalar(0)], {}, 'pool1_pad/Pad');
  let x = net.add('MaxPool', [net.last], { kernel_shape: [3, 3], strides: [2, 2] }, 'pool1_pool/MaxPool');
  let inputs = 8;
  for (const [stage, strides] of [1, 2].entries()) {
    const filters = 12 + 4 * stage;
    net.last = x;
    const shortcut = net.conv(`conv${stage}_0_conv`, { inputs, filters, kernel: 1, strides });
    net.last = x;
    net.conv(`conv${stage}_1_conv`, { inputs, filters: 6, kernel: 1, strides });
    net.add('Relu');
    net.conv(`conv${stage}_2_conv`, { inputs: 6, filters: 6 });
    net.add('Relu');
    const branch = net.conv(`conv${stage}_3_conv`, { inputs: 6, filters, kernel: 1 });
    net.add('Add', [shortcut, branch], {}, `conv${stage}_add/add`);
    x = net.add('Relu');
    inputs = filters;
  }
  net.globalPool();
  net.dense('predictions', { inputs, units: 5 });
  return net.file(['unk__6', 33, 33, 3]);
}

/** A Keras MobileNetV2: one-sided padding before strides, depthwise convolutions, ReLU6. */
export function mobileNetV2(): File {
  const net = new Tf2Onnx();
  net.toChannelsFirst();
  net.conv('Conv1', { inputs: 3, filters: 8, strides: 2, pads: [0, 0, 1, 1] });
  let x = net.relu6('Conv1_relu');
  for (const [block, strides] of [1, 2].entries()) {
    net.last = x;
    net.conv(`block_${block}_expand`, { inputs: 8, filters: 16, kernel: 1 });
    net.relu6(`block_${block}_expand_relu`);
    const pads = integers(0, 0, 0, 0, 0, 0, 1, 1);
    if (strides === 2) net.add('Pad', [net.last, net.constant(pads), net.scalar(0)], {}, `block_${block}_pad/Pad`);
    const padding = { pads: strides === 2 ? [0, 0, 0, 0] : [1, 1, 1, 1] };
    net.conv(`block_${block}_depthwise`, { inputs: 16, filters: 16, strides, depthwise: true, ...padding });
    net.relu6(`block_${block}_depthwise_relu`);
    const projected = net.conv(`block_${block}_project`, { inputs: 16, filters: 8, kernel: 1 });
    x = strides === 1 ? net.add('Add', [x, projected], {}, `block_${block}_add/add`) : projected;
  }
  net.last = x;
  // As it is before tf2onnx optimises it, or where it cannot.
  net.toChannelsLast();
  net.add('ReduceMean', [net.last], { axes: [1, 2], keepdims: 0 }, 'global_average_pooling2d/Mean');
  net.dense('predictions', { inputs: 8, units: 5 });
  return net.file(['unk__6', 32, 32, 3]);
}

/** A Keras EfficientNet: rescaling and normalisation in front, swish, and gates whose shapes are worked out. */
export function efficientNet(): File {
  const net = new Tf2Onnx();
  net.add('Mul', [net.last, net.scalar(1 / 255)], {}, 'rescaling/mul');
  net.add('Sub', [net.last, net.constant(floats([1, 1, 1, 3], (i) => 0.4 + i / 50))], {}, 'normalization/sub');
  net.add('Div', [net.last, net.constant(floats([1, 1, 1, 3], (i) => 0.2 + i / 100))], {}, 'normalization/truediv');
  net.toChannelsFirst();
  const swish = (name: string) => {
    const x = net.last;
    return net.add('Mul', [x, net.add('Sigmoid', [x], {}, `${name}/Sigmoid`)], {}, `${name}/mul`);
  };
  net.conv('stem_conv', { inputs: 3, filters: 8, strides: 2, pads: [0, 0, 1, 1] });
  const x = swish('stem_activation');
  net.conv('block1a_dwconv', { inputs: 8, filters: 8, kernel: 5, depthwise: true });
  const gated = swish('block1a_activation');
  const pooled = net.globalPool();
  const slice = [net.constant(integers(0)), net.constant(integers(1)), net.constant(integers(0))];
  net.add('Cast', [net.add('Shape', [pooled])], { to: 6 });
  net.add('Squeeze', [net.add('Slice', [net.last, ...slice]), net.constant(integers(0))]);
  const batch = net.add('Unsqueeze', [net.last, net.constant(integers(0))]);
  const ones = net.constant(integers(1, 1, 8));
  net.add('Cast', [net.add('Cast', [batch], { to: 7 })], { to: 7 });
  const shape = net.add('Concat', [net.last, ones], { axis: 0 });
  net.add('Reshape', [pooled, shape], {}, 'block1a_se_reshape/Reshape');
  net.add('Reshape', [net.last, net.constant(integers(-1, 8, 1, 1))], {}, 'block1a_se_reduce/Conv2D');
  net.conv('block1a_se_reduce', { inputs: 8, filters: 4, kernel: 1 });
  swish('block1a_se_reduce');
  net.conv('block1a_se_expand', { inputs: 4, filters: 8, kernel: 1 });
  const gate = net.add('Sigmoid', [net.last], {}, 'block1a_se_expand/Sigmoid');
  net.add('Mul', [gated, gate], {}, 'block1a_se_excite/mul');
  const branch = net.conv('block1a_project_conv', { inputs: 8, filters: 8, kernel: 1 });
  net.add('Add', [branch, x], {}, 'block1a_add/add');
  net.globalPool();
  net.dense('predictions', { inputs: 8, units: 5 });
  return net.file(['unk__9', 16, 16, 3]);
}

/** A Keras DenseNet: batch normalisation in front of convolutions stays, and images are joined. */
export function denseNet(): File {
  const net = new Tf2Onnx();
  net.toChannelsFirst();
  let x = net.conv('conv1_conv', { inputs: 3, filters: 8, bias: false });
  let channels = 8;
  for (let block = 0; block < 2; block++) {
    net.last = x;
    net.batchNorm(`conv2_block${block}_0_bn`, channels);
    net.add('Relu');
    net.conv(`conv2_block${block}_1_conv`, { inputs: channels, filters: 6 });
    x = net.add('Concat', [x, net.last], { axis: 1 }, `conv2_block${block}_concat/concat`);
    channels += 6;
  }
  net.batchNorm('pool2_bn', channels);
  net.add('Relu');
  net.add(
    'AveragePool',
    [net.last],
    { kernel_shape: [2, 2], strides: [2, 2], pads: [0, 0, 1, 1] },
    'pool2_pool/AvgPool',
  );
  net.globalPool('GlobalMaxPool');
  net.dense('predictions', { inputs: channels, units: 4 });
  return net.file(['unk__3', 9, 9, 3]);
}

/** Keras's first example, of one channel: its transposes move nothing and have become reshapes. */
export function digits(): File {
  const net = new Tf2Onnx();
  net.add('Reshape', [net.last, net.constant(integers(-1, 1, 14, 12))], {}, 'conv2d/Conv2D');
  net.conv('conv2d', { inputs: 1, filters: 8, pads: [0, 0, 0, 0] });
  // A ReLU with a maximum of its own.
  net.add('Min', [net.add('Relu'), net.scalar(1.5)], {}, 're_lu/Minimum');
  net.add('MaxPool', [net.last], { kernel_shape: [2, 2], strides: [2, 2] }, 'max_pooling2d/MaxPool');
  net.conv('conv2d_1', { inputs: 8, filters: 6, kernel: 5, pads: [0, 0, 0, 0] });
  // hard_sigmoid
  net.add('Add', [net.add('Mul', [net.last, net.scalar(0.2)]), net.scalar(0.5)]);
  net.add('Max', [net.add('Min', [net.last, net.scalar(1)]), net.scalar(0)], {}, 'activation/clip_by_value');
  // PReLU of each channel, with its slopes' sign turned: relu(x) + a * relu(-x)
  const x = net.last;
  const right = net.add('Relu', [x]);
  net.add('Mul', [net.add('Relu', [net.add('Neg', [x])]), net.weights([1, 6, 1, 1])]);
  net.add('Add', [right, net.last]);
  net.toChannelsLast();
  net.add('Reshape', [net.last, net.constant(integers(-1, 12))], {}, 'flatten/Reshape');
  net.dense('dense', { inputs: 12, units: 4 });
  return net.file(['unk__2', 14, 12, 1]);
}

/** A Keras MobileNetV3's hard swish, and an addition in front of a pooling. */
export function hardSwish(): File {
  const net = new Tf2Onnx();
  net.toChannelsFirst();
  const x = net.conv('conv', { inputs: 3, filters: 8, strides: 2, pads: [0, 0, 1, 1] });
  net.add('Add', [x, net.scalar(3)], {}, 'tf.__operators__.add/AddV2');
  net.relu6('re_lu');
  const gate = net.add('Mul', [net.last, net.scalar(1 / 6)], {}, 'tf.math.multiply/Mul');
  net.add('Mul', [gate, x], {}, 'multiply/mul');
  net.conv('conv_1', { inputs: 8, filters: 6, kernel: 1 });
  net.add('LeakyRelu', [net.last], { alpha: { float: 0.3 } });
  net.add('GlobalAveragePool', [net.last], {}, 'global_average_pooling2d/Mean');
  net.conv('conv_2', { inputs: 6, filters: 5, kernel: 1 });
  // Flatten of an image of one pixel.
  net.add('Reshape', [net.last, net.constant(integers(-1, 5))], {}, 'flatten/Reshape');
  return net.file(['unk__8', 12, 12, 3]);
}
