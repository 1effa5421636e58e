import { evaluate, type LayerScores, PLAIN_OBJECTIVE, scoreFilters, train } from '@secateur/core';
import { parseCriterion } from '../criteria/parse-criterion.ts';
import { plantedImages, plantedNetwork } from './planted-network.ts';
import { type KnownImportanceRecord, servedClasses, type Task } from './planting.ts';

/** Scores planted filters by each criterion. An engine must be registered before. */
export async function measureKnownImportance({
  planting,
  readout,
  epochs,
  criteria,
}: Task): Promise<KnownImportanceRecord> {
  const images = plantedImages(planting);
  const model = plantedNetwork(planting);
  try {
    if (readout === 'trained') {
      model.getLayer('planted').trainable = false;
      const schedule = { kind: 'one-cycle', peak: 0.5 } as const;
      for await (const _ of train(model, images, { epochs, schedule, objective: PLAIN_OBJECTIVE }));
    }
    const scores: Record<string, number[]> = {};
    for (const criterion of criteria) {
      const [layer] = await scoreFilters(model, images, { criterion: parseCriterion(criterion), layers: ['planted'] });
      scores[criterion] = toNumbers(layer!);
    }
    const { accuracy } = await evaluate(model, images);
    return { accuracy, planted: servedClasses(planting).map(({ length }) => length), scores };
  } finally {
    model.dispose();
  }
}

function toNumbers({ numerators, denominator }: LayerScores): number[] {
  return Array.from(numerators, (numerator) => numerator / denominator);
}
