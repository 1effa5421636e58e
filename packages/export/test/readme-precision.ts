import '@tensorflow/tfjs-backend-cpu';
import { writeFile } from 'node:fs/promises';
import { exportOnnx, measureLatency, quantise, toFloat16, verify } from '@secateur/export';
import { vgg11 } from '@secateur/models';

const model = vgg11({ width: 0.125, seed: 1 });
const onnx = await exportOnnx(model);

// A few hundred real images of all classes, standardised; made up here.
const images = Float32Array.from({ length: 16 * 32 * 32 * 3 }, (_, i) => Math.sin(i * i));
const shape = [16, 32, 32, 3];

const files = { float32: onnx, float16: await toFloat16(onnx), int8: await quantise(onnx, { images, shape }) };
for (const [precision, file] of Object.entries(files)) {
  const { sameClass } = await verify(model, file, { images, shape });
  const { medianMs } = await measureLatency(file);
  console.log(precision, file.length, sameClass, medianMs);
  await writeFile(`vgg11-${precision}.onnx`, file);
}
