// Trains a small network with the layers API on pictures of digits drawn by program, as one would on MNIST; nothing in it
// but the first import knows the backend. Run: node examples/fit.ts [torch | cpu] [pictures] [epochs]
import '@secateur/tfjs-backend-torch';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';

const [backend = 'torch', pictures = '512', epochs = '3'] = process.argv.slice(2);
await tf.setBackend(backend);

/** The seven bars of a pocket calculator's digits: rows and columns from, to, and the digits that show it. */
const BARS = [
  [4, 6, 9, 19, '02356789'],
  [13, 15, 9, 19, '2345689'],
  [22, 24, 9, 19, '0235689'],
  [4, 14, 8, 10, '045689'],
  [14, 24, 8, 10, '0268'],
  [4, 14, 18, 20, '01234789'],
  [14, 24, 18, 20, '013456789'],
] as const;

/** 28 x 28 pixels from 0 to 1, somewhere near the middle, under noise. */
function drawDigit(digit: number, pixels: Float32Array, random: () => number): void {
  const [down, right] = [Math.floor(7 * random()) - 3, Math.floor(7 * random()) - 3];
  for (let i = 0; i < pixels.length; i++) pixels[i] = 0.4 * random();
  for (const [top, bottom, left, rightmost, digits] of BARS) {
    if (!digits.includes(String(digit))) continue;
    for (let row = top; row < bottom; row++) {
      for (let column = left; column < rightmost; column++) pixels[28 * (row + down) + column + right]! += 0.6;
    }
  }
}

function digits(count: number, seed: number): { xs: tf.Tensor4D; ys: tf.Tensor2D } {
  let state = seed;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const pixels = new Float32Array(28 * 28 * count);
  const labels = Int32Array.from({ length: count }, () => Math.floor(10 * random()));
  for (let i = 0; i < count; i++) drawDigit(labels[i]!, pixels.subarray(784 * i, 784 * (i + 1)), random);
  return {
    xs: tf.tensor4d(pixels, [count, 28, 28, 1]),
    ys: tf.tidy(() => tf.cast(tf.oneHot(tf.tensor1d(labels, 'int32'), 10), 'float32') as tf.Tensor2D),
  };
}

const model = tfl.sequential({
  layers: [
    tfl.layers.conv2d({ inputShape: [28, 28, 1], kernelSize: 5, filters: 8, activation: 'relu' }),
    tfl.layers.maxPooling2d({ poolSize: 2, strides: 2 }),
    tfl.layers.conv2d({ kernelSize: 5, filters: 16, activation: 'relu' }),
    tfl.layers.maxPooling2d({ poolSize: 2, strides: 2 }),
    tfl.layers.flatten(),
    tfl.layers.dense({ units: 10, activation: 'softmax' }),
  ],
});
model.compile({ optimizer: tf.train.adam(0.005), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });

const { xs, ys } = digits(Number(pictures), 1);
let batches = 0;
let start = performance.now();
await model.fit(xs, ys, {
  epochs: Number(epochs),
  batchSize: 64,
  validationSplit: 0.15,
  verbose: 0,
  callbacks: {
    onBatchEnd: () => {
      batches++;
    },
    onEpochEnd: (epoch, logs) => {
      const milliseconds = (performance.now() - start) / batches;
      console.log(
        `epoch ${epoch + 1}: loss ${logs!.loss!.toFixed(3)}, accuracy ${logs!.acc!.toFixed(3)}, ` +
          `validation ${logs!.val_acc!.toFixed(3)}, ${milliseconds.toFixed(1)} ms a batch`,
      );
      batches = 0;
      start = performance.now();
    },
  },
});

const test = digits(200, 2);
const [, accuracy] = model.evaluate(test.xs, test.ys) as tf.Scalar[];
console.log(`${tf.getBackend()}: test accuracy ${accuracy!.dataSync()[0]!.toFixed(3)}`);
