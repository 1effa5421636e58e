import '@tensorflow/tfjs-backend-cpu';
import { exportOnnx, measureLatency, readOnnxMetadata, verify } from '@secateur/export';
import { layers, sequential } from '@tensorflow/tfjs-layers';

const model = sequential({
  layers: [
    layers.conv2d({ inputShape: [8, 8, 3], filters: 4, kernelSize: 3, padding: 'same' }),
    layers.batchNormalization(),
    layers.reLU(),
    layers.globalAveragePooling2d({}),
    layers.dense({ units: 2 }),
  ],
});

const onnx = await exportOnnx(model, {
  classNames: ['cat', 'dog'],
  mean: [0.49, 0.48, 0.45],
  std: [0.25, 0.24, 0.26],
  inputScale: 1 / 255,
  pruning: [{ removedFilters: 4, macs: 7104, accuracy: 0.86 }],
});
console.log(readOnnxMetadata(onnx).classNames);

const images = Float32Array.from({ length: 10 * 8 * 8 * 3 }, (_, i) => Math.sin(i));
const report = await verify(model, onnx, { images, shape: [10, 8, 8, 3] });
console.log(report.passed, report.sameClass);

const { medianMs } = await measureLatency(onnx, { batchSize: 1, runs: 20 });
console.log(`${medianMs.toFixed(2)} ms an image`);
