import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { type BatchSource, type Checkpoint, type TrainingOptions, type TrainingState, train } from '@secateur/core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { replaceFile } from '../replace-file.ts';

/**
 * `train`, which keeps its state in the folder after each epoch, and goes on from there when a process before this one was ended.
 *
 * @returns The number of steps that were done in this process.
 */
export async function trainResumably(
  model: LayersModel,
  source: BatchSource,
  { folder, ...options }: TrainingOptions & { readonly folder: string },
): Promise<number> {
  const file = join(folder, 'training.state');
  const resume = await readState(file);
  const stepsPerEpoch = Math.ceil(source.size / source.batchSize);
  let step = resume?.step ?? 0;
  const checkpoint: Checkpoint<TrainingState> = async (capture, moment) => {
    if (moment === 'phase' || ++step % stepsPerEpoch !== 0) return;
    await replaceFile(file, serialize(capture()));
  };
  for await (const _ of train(model, source, { ...options, checkpoint, resume }));
  await rm(file, { force: true });
  return step - (resume?.step ?? 0);
}

async function readState(file: string): Promise<TrainingState | undefined> {
  try {
    return deserialize(await readFile(file)) as TrainingState;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Error(`'${file}' cannot be read: ${error}. Delete it to train from the start.`);
  }
}
