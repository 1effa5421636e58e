import type { BatchSource, Evaluation } from '@secateur/core';
import { nhwcToNchw } from '@secateur/export';
import type { InferenceSession, Tensor } from 'onnxruntime-node';

/**
 * Classifies every image of the source once with an ONNX file that takes standardised images, [batch, channels, height, width],
 * and gives logits, [batch, classes].
 *
 * @throws Error when the file is not such a model, or has another number of classes.
 */
export async function evaluateOnnx(file: string, source: BatchSource): Promise<Evaluation> {
  const { classNames } = source;
  // Loaded on use: all other commands also work where onnxruntime has no binary.
  const runtime = await import('onnxruntime-node');
  const session = await open(runtime, file);
  try {
    const confusion = classNames.map(() => classNames.map(() => 0));
    let loss = 0;
    for await (const { images, labels, shape } of source.batches(0)) {
      const [count, height, width, channels] = shape;
      const planes = new runtime.Tensor('float32', nhwcToNchw(images, shape), [count, channels, height, width]);
      const logits = await classify(session, planes, { file, classes: classNames.length });
      labels.forEach((label, image) => {
        const row = logits.subarray(image * classNames.length, (image + 1) * classNames.length);
        const best = Math.max(...row);
        loss += best + Math.log(row.reduce((sum, value) => sum + Math.exp(value - best), 0)) - row[label]!;
        confusion[label]![row.indexOf(best)]!++;
      });
    }
    const classes = classNames.map((className, label) => ({
      className,
      correct: confusion[label]![label]!,
      images: confusion[label]!.reduce((sum, value) => sum + value, 0),
    }));
    const correct = classes.reduce((sum, entry) => sum + entry.correct, 0);
    return { images: source.size, accuracy: correct / source.size, loss: loss / source.size, classes, confusion };
  } finally {
    await session.release();
  }
}

type Runtime = typeof import('onnxruntime-node');

async function open(runtime: Runtime, file: string): Promise<InferenceSession> {
  try {
    return await runtime.InferenceSession.create(file, { logSeverityLevel: 4 });
  } catch (cause) {
    throw new Error(`onnxruntime cannot open '${file}': ${(cause as Error).message}`, { cause });
  }
}

async function classify(
  session: InferenceSession,
  images: Tensor,
  { file, classes }: { file: string; classes: number },
): Promise<Float32Array> {
  const [input, output] = [session.inputNames[0]!, session.outputNames[0]!];
  let logits: Tensor;
  try {
    logits = (await session.run({ [input]: images }))[output] as Tensor;
  } catch (cause) {
    throw new Error(`'${file}' does not take images of [${images.dims}]: ${(cause as Error).message}`, { cause });
  }
  if (logits.dims.length !== 2 || logits.dims[1] !== classes) {
    throw new Error(
      `Expected '${file}' to give [batch, ${classes}], one logit for each class, but it gives [${logits.dims}].`,
    );
  }
  return logits.data as Float32Array;
}
