import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe } from 'vitest';

export type EngineName = 'torch' | 'cpu';

const ENGINES: Readonly<Record<EngineName, () => Promise<unknown>>> = {
  torch: () => import('@secateur/tfjs-backend-torch'),
  cpu: () => import('@tensorflow/tfjs-backend-cpu'),
};

/**
 * Runs the suite on every engine. An engine that cannot be loaded fails its suite: a check that cannot check must not pass.
 * `SECATEUR_ENGINES=cpu` leaves the others out where they are not built.
 */
export function eachEngine(suite: (engine: EngineName) => void): void {
  for (const engine of chosenEngines()) {
    describe(`on ${engine}`, () => {
      beforeAll(() => useEngine(engine));
      suite(engine);
    });
  }
}

export async function useEngine(engine: EngineName): Promise<void> {
  await ENGINES[engine]();
  if (!(await tf.setBackend(engine))) throw new Error(`The engine '${engine}' was imported but did not start.`);
}

function chosenEngines(): EngineName[] {
  const known = Object.keys(ENGINES) as EngineName[];
  const names = process.env.SECATEUR_ENGINES?.split(',') ?? known;
  return names.map((name) => {
    const engine = known.find((candidate) => candidate === name);
    if (!engine) throw new Error(`SECATEUR_ENGINES lists '${name}'; known engines are ${known.join(', ')}.`);
    return engine;
  });
}
