import { execFileSync } from 'node:child_process';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { expect, it } from 'vitest';
import { ALL_REMOVABLE, readGraph } from '../src/graph/channel-graph.ts';
import { applyPlan } from '../src/pruning/apply-plan.ts';
import { createPlan } from '../src/pruning/pruning-plan.ts';
import { ARCHITECTURES, SIZE } from './support/architectures.ts';
import { largestDifference } from './support/numbers.ts';
import { fillWeights } from './support/small-models.ts';
import { TracedNetwork } from './support/traced-network.ts';

/** A program that knows nothing of secateur: reads a saved model and an image from stdin, and writes what it predicts. */
const PLAIN_PROGRAM = `
  import '@tensorflow/tfjs-backend-cpu';
  import * as tf from '@tensorflow/tfjs-core';
  import { loadLayersModel } from '@tensorflow/tfjs-layers';
  let text = '';
  for await (const chunk of process.stdin) text += chunk;
  const { topology, specs, data, image, shape } = JSON.parse(text);
  const model = await loadLayersModel(tf.io.fromMemory({
    modelTopology: topology, weightSpecs: specs, weightData: new Uint8Array(data).buffer,
  }));
  process.stdout.write(JSON.stringify([...model.predict(tf.tensor(image, shape)).dataSync()]));
`;

async function pruned(name: string): Promise<LayersModel> {
  const model = ARCHITECTURES[name]!.build(new TracedNetwork());
  fillWeights(model, 1);
  const graph = readGraph(model, ALL_REMOVABLE);
  const first = graph.groups.flatMap(({ units }) => units[0]!.filters[0]!);
  return applyPlan(model, createPlan(first, { graph }), { graph });
}

async function runPlainly(model: LayersModel, image: tf.Tensor): Promise<number[]> {
  let input = '';
  await model.save(
    tf.io.withSaveHandler(async ({ modelTopology, weightSpecs, weightData }) => {
      const data = [...new Uint8Array(tf.io.CompositeArrayBuffer.join(weightData as tf.io.WeightData))];
      const { shape } = image;
      input = JSON.stringify({
        topology: modelTopology,
        specs: weightSpecs,
        data,
        image: [...image.dataSync()],
        shape,
      });
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    }),
  );
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', PLAIN_PROGRAM], {
    cwd: import.meta.dirname,
    input,
    stdio: 'pipe',
  });
  return JSON.parse(String(output).split('\n').at(-1)!) as number[];
}

it.each(['MobileNetV2', 'U-Net'])('a pruned %s loads in TensorFlow.js alone', async (name) => {
  const model = await pruned(name);
  const image = tf.randomUniform([1, SIZE, SIZE, 3], -1, 1, 'float32', 3);
  const expected = (model.predict(image) as tf.Tensor).dataSync();
  expect(largestDifference(await runPlainly(model, image), expected)).toBeLessThan(1e-6);
});

it('a custom layer has to be imported first', async () => {
  const model = await pruned('ResNet with zero padding');
  await expect(runPlainly(model, tf.zeros([1, SIZE, SIZE, 3]))).rejects.toThrow('Unknown layer: ZeroPadShortcut');
});
