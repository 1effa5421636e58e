import type { BatchNormOperation, ConvOperation, Operation } from './golden-files.ts';

/** One network of the golden counts.json. */
export interface FullSizeNetwork {
  readonly name: string;
  readonly kind: string;
  readonly num_classes: number;
  readonly input_size: number;
  readonly cfg: readonly (number | 'M')[];
  readonly fc_option?: 'A' | 'B';
}

/** The operations of a full-size network, from its widths. */
export function fullSizeOperations(network: FullSizeNetwork): Operation[] {
  return network.kind === 'vgg' ? vgg(network) : resnet(network);
}

function vgg({ cfg, fc_option, num_classes }: FullSizeNetwork): Operation[] {
  const headWidth = fc_option === 'A' ? cfg.at(-1) : undefined;
  const body = headWidth === undefined ? cfg : cfg.slice(0, -1);
  let channels = 3;
  const features = body.flatMap((width, index): Operation[] => {
    if (width === 'M') return [{ op: 'maxpool', kernel: 2, stride: 2 }];
    const convolution = conv(`conv${index}`, channels, width, { bias: true });
    channels = width;
    return [convolution, batchNorm(`norm${index}`, width), { op: 'relu' }];
  });
  const head: Operation[] =
    typeof headWidth === 'number'
      ? [
          { op: 'linear', name: 'linear1', in_features: channels, out_features: headWidth, bias: true },
          { op: 'batchnorm1d', name: 'norm', channels: headWidth, eps: 1e-5, momentum: 0.1 },
          { op: 'relu' },
          { op: 'linear', name: 'linear2', in_features: headWidth, out_features: num_classes, bias: true },
        ]
      : [{ op: 'linear', name: 'linear1', in_features: channels, out_features: num_classes, bias: true }];
  return [...features, { op: 'avgpool', kernel: 2, stride: 2 }, { op: 'flatten' }, ...head];
}

/** cfg: the stem, then (hidden, out) of each block; the residual stream doubles where the stride is 2. */
function resnet({ cfg, num_classes }: FullSizeNetwork): Operation[] {
  const widths = cfg as readonly number[];
  let channels = widths[0]!;
  const operations: Operation[] = [
    conv('stem', 3, channels, { bias: false }),
    batchNorm('stem_norm', channels),
    { op: 'relu' },
  ];
  for (let i = 1; i < widths.length; i += 2) {
    const [hidden, out] = [widths[i]!, widths[i + 1]!];
    const grows = out !== channels;
    operations.push({
      op: 'block',
      name: `block${i}`,
      conv1: conv(`block${i}.conv1`, channels, hidden, { bias: false, stride: grows ? 2 : 1 }),
      bn1: batchNorm(`block${i}.bn1`, hidden),
      conv2: conv(`block${i}.conv2`, hidden, out, { bias: false }),
      bn2: batchNorm(`block${i}.bn2`, out),
      shortcut: grows ? 'subsample2_pad' : 'identity',
      pad_channels_each_side: (out - channels) / 2,
    });
    channels = out;
  }
  return [
    ...operations,
    { op: 'global_avgpool' },
    { op: 'flatten' },
    { op: 'linear', name: 'classifier', in_features: channels, out_features: num_classes, bias: true },
  ];
}

function conv(
  name: string,
  inputs: number,
  outputs: number,
  { bias, stride = 1 }: { bias: boolean; stride?: number },
): ConvOperation {
  return { op: 'conv', name, in_channels: inputs, out_channels: outputs, kernel: 3, stride, padding: 1, bias };
}

function batchNorm(name: string, channels: number): BatchNormOperation {
  return { op: 'batchnorm2d', name, channels, eps: 1e-5, momentum: 0.1 };
}
