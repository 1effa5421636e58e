import { threads, versions } from '@secateur/tfjs-backend-torch';
import * as tf from '@tensorflow/tfjs-core';
import { describeMachine } from '../machine.ts';
import type { Piece } from './piece.ts';

/** What a worker of a study does: reads its task, JSON on the command line, measures, and prints the Piece. */
export async function answer<Task, Result>(measure: (task: Task) => Promise<Result>): Promise<void> {
  const task = JSON.parse(process.argv[2]!) as Task;
  await tf.setBackend('torch');
  const started = performance.now();
  const result = await measure(task);
  const { load: _, ...machine } = describeMachine();
  const piece: Piece<Result> = {
    environment: { machine, libtorch: versions().libtorch, tfjs: tf.version_core, threads: threads() },
    seconds: (performance.now() - started) / 1000,
    result,
  };
  console.log(JSON.stringify(piece));
}
