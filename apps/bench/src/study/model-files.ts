import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OptimiserState } from '@secateur/core';
import * as tf from '@tensorflow/tfjs-core';
import { type LayersModel, loadLayersModel } from '@tensorflow/tfjs-layers';

/** Writes model.json and weights.bin, the format of tfjs-layers. */
export async function saveModel(model: LayersModel, folder: string): Promise<void> {
  const save = async ({ modelTopology, weightSpecs, weightData }: tf.io.ModelArtifacts) => {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'weights.bin'), new Uint8Array(tf.io.CompositeArrayBuffer.join(weightData)));
    const weightsManifest = [{ paths: ['weights.bin'], weights: weightSpecs }];
    await writeFile(join(folder, 'model.json'), JSON.stringify({ modelTopology, weightsManifest }));
    return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' as const } };
  };
  await model.save(tf.io.withSaveHandler(save));
}

export async function loadModel(folder: string): Promise<LayersModel> {
  const json = JSON.parse(await readFile(join(folder, 'model.json'), 'utf8')) as tf.io.ModelJSON;
  const artifacts = await tf.io.getModelArtifactsForJSON(json, async (manifest) => [
    manifest.flatMap(({ weights }) => weights),
    Uint8Array.from(await readFile(join(folder, 'weights.bin'))).buffer,
  ]);
  return loadLayersModel(tf.io.fromMemory(artifacts));
}

/** Writes momentum.json and momentum.bin. */
export async function saveMomentum({ velocities }: OptimiserState, folder: string): Promise<void> {
  const tensors = [...velocities].map(([name, tensor]) => ({ name, tensor }));
  const { data, specs } = await tf.io.encodeWeights(tensors);
  await writeFile(join(folder, 'momentum.bin'), new Uint8Array(data));
  await writeFile(join(folder, 'momentum.json'), JSON.stringify(specs));
}

export async function loadMomentum(folder: string): Promise<OptimiserState> {
  const specs = JSON.parse(await readFile(join(folder, 'momentum.json'), 'utf8')) as tf.io.WeightsManifestEntry[];
  const data = Uint8Array.from(await readFile(join(folder, 'momentum.bin'))).buffer;
  const state = new OptimiserState();
  for (const [name, tensor] of Object.entries(tf.io.decodeWeights(data, specs))) state.velocities.set(name, tensor);
  return state;
}
