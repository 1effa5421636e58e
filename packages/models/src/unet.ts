import { input, type LayersModel, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { HE_FAN_IN } from './initialisation.ts';
import { LayerFactory } from './layer-factory.ts';
import { type NetworkOptions, rejectOption, resolveOptions, scaleWidth } from './options.ts';

/** Channels at full size; each level down has twice as many. */
const FIRST_WIDTH = 16;

export interface UNetOptions extends NetworkOptions {
  /** How often the map is halved on the way down; height and width must be divisible by 2^levels. Default 3. */
  readonly levels?: number;
}

/**
 * A small U-Net (Ronneberger et al. 2015) that labels every pixel: `levels` times two 3x3 convolutions and a max pool, two
 * convolutions at the bottom, and the same way up with 2x2 up-convolutions that are joined with the map of their size; 16
 * channels at full size. Unlike the original it pads, so that the output has the size of the image, and has batch norm
 * (482,890 trainable parameters for 10 classes at width 1).
 *
 * [batch, height, width, channels] standardised images -> [batch, height, width, classes] logits of each pixel.
 * Layers: on the way down `down1_conv1`, `..._bn1`, `..._relu1`, `..._conv2`, `..._bn2`, `..._relu2`, `..._pool`; `bottom_conv1`
 * ...; on the way up `up1_upconv`, `..._concat`, `..._conv1` ..., where `up1` has the size of `down1`; logits.
 * Started as in the paper: {@link HE_FAN_IN}; batch-norm scale 1.
 *
 * @throws Error if an option is out of range, naming the option and the value.
 */
export function uNet({ levels = 3, ...options }: UNetOptions = {}): LayersModel {
  if (!Number.isInteger(levels) || levels < 1) rejectOption('uNet', 'levels', 'a positive integer', levels);
  const { classes, width, inputShape, seed } = resolveOptions(options, 'uNet', 2 ** levels);
  const multiple = 2 ** levels;
  if (inputShape[0] % multiple !== 0 || inputShape[1] % multiple !== 0) {
    const expected = `of a height and width divisible by ${multiple}, as the map is halved ${levels} times`;
    rejectOption('uNet', 'inputShape', expected, inputShape);
  }
  const factory = new LayerFactory(seed, HE_FAN_IN);
  const widthAt = (level: number) => scaleWidth(FIRST_WIDTH * 2 ** (level - 1), width);

  const images = input({ name: 'images', shape: [...inputShape] });
  const skips: SymbolicTensor[] = [];
  let x = images;
  for (let level = 1; level <= levels; level++) {
    const skip = doubleConvolution(x, factory, `down${level}`, widthAt(level));
    skips.push(skip);
    x = layers.maxPooling2d({ name: `down${level}_pool`, poolSize: 2 }).apply(skip) as SymbolicTensor;
  }
  x = doubleConvolution(x, factory, 'bottom', widthAt(levels + 1));
  for (let level = levels; level >= 1; level--) {
    const raised = factory.upConv2x2(x, `up${level}_upconv`, widthAt(level));
    const joined = factory.concatenate([skips[level - 1]!, raised], `up${level}_concat`);
    x = doubleConvolution(joined, factory, `up${level}`, widthAt(level));
  }
  const logits = factory.conv1x1(x, 'logits', { filters: classes, useBias: true });
  return model({ name: 'unet', inputs: images, outputs: logits });
}

function doubleConvolution(x: SymbolicTensor, factory: LayerFactory, name: string, filters: number): SymbolicTensor {
  let y = x;
  for (const place of [1, 2]) {
    y = factory.conv3x3(y, `${name}_conv${place}`, { filters, useBias: false });
    y = factory.batchNorm(y, `${name}_bn${place}`, { scale: 1 });
    y = factory.relu(y, `${name}_relu${place}`);
  }
  return y;
}
