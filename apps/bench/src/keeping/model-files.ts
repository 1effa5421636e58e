import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { type LayersModel, loadLayersModel } from '@tensorflow/tfjs-layers';

/** Writes model.json and weights.bin. */
export async function saveModel(model: LayersModel, folder: string): Promise<void> {
  const save = async ({ modelTopology, weightSpecs, weightData }: tf.io.ModelArtifacts) => {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'weights.bin'), new Uint8Array(tf.io.CompositeArrayBuffer.join(weightData)));
    await writeFile(join(folder, 'model.json'), JSON.stringify({ modelTopology, weightSpecs }));
    return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' as const } };
  };
  await model.save(tf.io.withSaveHandler(save));
}

export async function loadModel(folder: string): Promise<LayersModel> {
  const artifacts = JSON.parse(await readFile(join(folder, 'model.json'), 'utf8')) as tf.io.ModelArtifacts;
  const weights = await readFile(join(folder, 'weights.bin'));
  const weightData = Uint8Array.from(weights).buffer;
  return loadLayersModel(tf.io.fromMemory({ ...artifacts, weightData }));
}
