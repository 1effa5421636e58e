// Sets the Taylor estimates of a network's filters against what removing them does.
import { CIFAR10_STATISTICS, createBatchSource, pickPerClass } from '@secateur/data';
import { readAll } from '../array-source.ts';
import { readCifar10 } from '../cifar10.ts';
import { answer } from '../study/answer.ts';
import { loadModel } from '../study/model-files.ts';
import { compareWithRemoval } from '../taylor/measure.ts';
import type { TaylorRecord, TaylorTask } from '../taylor/records.ts';

const BATCH = 200;

await answer(async ({ recipe, from, imagesPerClass, taus }: TaylorTask): Promise<TaylorRecord> => {
  const { train } = await readCifar10(recipe);
  const picked = pickPerClass(train, { perClass: imagesPerClass, seed: recipe.seed });
  const source = createBatchSource(picked, { batchSize: BATCH, ...CIFAR10_STATISTICS });
  try {
    return await compareWithRemoval(await loadModel(from), await readAll(source), { taus });
  } finally {
    await source.close();
  }
});
