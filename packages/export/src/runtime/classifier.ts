import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { keys } from '../metadata.ts';
import { nhwcToNchw } from './images.ts';
import { nameOf, type OnnxSource } from './load-model.ts';
import { type LoadedModel, openModel } from './session.ts';

export interface ClassifierOptions {
  /** [height, width, channels] of the images. */
  readonly imageShape: readonly [number, number, number];
  readonly classes: number;
}

/** An ONNX file that classifies images, opened in onnxruntime-node. */
export interface OnnxClassifier {
  /** `pixels`: whole numbers from 0 to 255, uint8 in the file, which standardises them itself. `standardised`: float32. */
  readonly takes: 'pixels' | 'standardised';
  readonly layout: 'NCHW' | 'NHWC';
  /**
   * @param images Channels last, [count, height, width, channels], as `takes` says; the file gets them in its own layout and,
   * where it fixes the batch, in batches of that size.
   * @returns [count, classes]: logits; of a file that ends in a softmax the logarithms of its probabilities, which are logits too.
   */
  classify(images: Float32Array): Promise<Float32Array>;
  release(): Promise<void>;
}

/**
 * Opens a classifier of any origin: channels first or last, float32 or uint8, the batch open or fixed, logits or probabilities.
 *
 * @throws Error when the file cannot be read, is not ONNX, or is not a network of one input of such images and one output of
 * [batch, classes].
 */
export async function openClassifier(onnx: OnnxSource, options: ClassifierOptions): Promise<OnnxClassifier> {
  const loaded = await openModel(onnx);
  try {
    return classifierOf(loaded, { ...options, name: nameOf(onnx) });
  } catch (error) {
    await loaded.session.release();
    throw error;
  }
}

interface Named extends ClassifierOptions {
  readonly name: string;
}

function classifierOf(loaded: LoadedModel, options: Named): OnnxClassifier {
  const { session } = loaded;
  const { type, dims, layout } = inputOf(loaded, options);
  const output = outputOf(session, options);
  const givesProbabilities = endsInSoftmax(loaded);
  const { imageShape, classes } = options;
  const imageSize = imageShape.reduce((product, size) => product * size, 1);
  const fixedBatch = isSize(dims[0]) ? dims[0] : undefined;

  const run = async (images: Float32Array, count: number): Promise<Float32Array> => {
    const feeds = {
      [session.inputNames[0]!]: tensorOf(loaded, images, { type, layout, shape: [count, ...imageShape] }),
    };
    const answers = (await session.run(feeds))[output]!;
    if (answers.type !== 'float32' || String(answers.dims) !== String([count, classes])) {
      throw new Error(
        `Expected ${inText(options.name)} to give float32 [${count}, ${classes}], one number for each class, but it gives ${answers.type} [${answers.dims}].`,
      );
    }
    const data = answers.data as Float32Array;
    return givesProbabilities ? data.map((probability) => Math.log(Math.max(probability, SMALLEST))) : data;
  };
  return {
    takes: type === 'uint8' ? 'pixels' : 'standardised',
    layout,
    async classify(images) {
      const count = images.length / imageSize;
      if (!Number.isInteger(count) || count === 0) {
        throw new Error(`Expected images of ${imageShape.join(' x ')} values each, but got ${images.length} values.`);
      }
      const step = fixedBatch ?? count;
      const logits = new Float32Array(count * classes);
      for (let start = 0; start < count; start += step) {
        const taken = Math.min(step, count - start);
        // What a fixed batch has left over is filled with zeros.
        const batch = new Float32Array(step * imageSize);
        batch.set(images.subarray(start * imageSize, (start + taken) * imageSize));
        logits.set((await run(batch, step)).subarray(0, taken * classes), start * classes);
      }
      return logits;
    },
    release: () => session.release(),
  };
}

/** The smallest normal float32: a probability of 0 has a finite logarithm. */
const SMALLEST = 2 ** -126;

function inputOf({ session, metadata }: LoadedModel, { name, imageShape }: Named) {
  const [input, ...others] = session.inputMetadata;
  if (!input || others.length > 0) {
    throw new Error(`Expected ${inText(name)} to have one input, but it has ${session.inputNames.length}.`);
  }
  if (!input.isTensor || (input.type !== 'float32' && input.type !== 'uint8')) {
    throw new Error(
      `Expected ${inText(name)} to take float32 or uint8 images, but '${input.name}' is ${input.isTensor ? input.type : 'no tensor'}. Put a Cast in front of the network, or export it again in float32.`,
    );
  }
  const { type } = input;
  const dims: readonly unknown[] = input.shape;
  const [height, width, channels] = imageShape;
  const fits = (sizes: readonly number[]) =>
    dims.length === 4 && sizes.every((size, axis) => !isSize(dims[axis + 1]) || dims[axis + 1] === size);
  const possible = [
    ...(fits([channels, height, width]) ? (['NCHW'] as const) : []),
    ...(fits([height, width, channels]) ? (['NHWC'] as const) : []),
  ];
  // Sizes that are open, or all alike, fit both: then what the file says of itself decides, else what is more common.
  const layout = possible.find((candidate) => candidate === metadata.properties[keys.layout]) ?? possible[0];
  if (!layout) {
    throw new Error(
      `Expected ${inText(name)} to take images of ${imageShape.join(' x ')}, [batch, ${channels}, ${height}, ${width}] or [batch, ${height}, ${width}, ${channels}], but '${input.name}' is [${dims.map(String).join(', ')}]. Give images of its size.`,
    );
  }
  return { type, dims, layout } as const;
}

function outputOf({ outputNames, outputMetadata }: InferenceSession, { name, classes }: Named): string {
  const [output, ...others] = outputMetadata;
  if (!output || others.length > 0) {
    throw new Error(
      `Expected ${inText(name)} to have one output, but it has ${outputNames.length}: ${outputNames.join(', ')}.`,
    );
  }
  const dims: readonly unknown[] = output.isTensor ? output.shape : [];
  const last = dims.at(-1);
  if (
    !output.isTensor ||
    output.type !== 'float32' ||
    (dims.length > 0 && (dims.length !== 2 || (isSize(last) && last !== classes)))
  ) {
    throw new Error(
      `Expected ${inText(name)} to give float32 [batch, ${classes}], one number for each class, but '${output.name}' is ${output.isTensor ? `${output.type} [${dims.map(String).join(', ')}]` : 'no tensor'}.`,
    );
  }
  return output.name;
}

function endsInSoftmax({ model, session }: LoadedModel): boolean {
  const passedOn = new Set(['Cast', 'Identity', 'QuantizeLinear', 'DequantizeLinear']);
  const makers = new Map(model.graph!.node!.flatMap((node) => node.output!.map((name) => [name, node] as const)));
  let maker = makers.get(session.outputNames[0]!);
  // A graph has fewer nodes in a row than in all; onnxruntime has refused cycles.
  while (maker && passedOn.has(maker.opType ?? '')) maker = makers.get(maker.input?.[0] ?? '');
  return maker?.opType === 'Softmax';
}

interface Placement {
  readonly type: 'float32' | 'uint8';
  readonly layout: 'NCHW' | 'NHWC';
  readonly shape: readonly number[];
}

function tensorOf({ runtime }: LoadedModel, images: Float32Array, { type, layout, shape }: Placement): Tensor {
  const [count, height, width, channels] = shape as [number, number, number, number];
  const arranged = layout === 'NCHW' ? nhwcToNchw(images, shape) : images;
  const dims = layout === 'NCHW' ? [count, channels, height, width] : [...shape];
  if (type === 'float32') return new runtime.Tensor('float32', arranged, dims);
  // Rounds to the nearest whole number from 0 to 255.
  return new runtime.Tensor('uint8', new Uint8Array(Uint8ClampedArray.from(arranged).buffer), dims);
}

function isSize(dim: unknown): dim is number {
  return typeof dim === 'number' && dim > 0;
}

/** 'The ONNX model' within a sentence. */
function inText(name: string): string {
  return name.startsWith('The ') ? `the ${name.slice(4)}` : name;
}
