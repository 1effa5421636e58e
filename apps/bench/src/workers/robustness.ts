// Attacks a network on test images of CIFAR-10.
import { readAll } from '../array-source.ts';
import { openCifar10 } from '../cifar10.ts';
import { type Attack, accuracyUnder, FGSM } from '../robustness/attack.ts';
import type { RobustnessRecord, RobustnessTask } from '../robustness/records.ts';
import { answer } from '../study/answer.ts';
import { loadModel } from '../study/model-files.ts';

const BATCH = 100;

await answer(async ({ recipe, from, images, epsilons, pgdSteps }: RobustnessTask): Promise<RobustnessRecord> => {
  const sources = await openCifar10(recipe);
  const model = await loadModel(from);
  try {
    const test = await readAll(sources.test, images);
    const under = (attack?: Attack) => accuracyUnder(model, test, { batch: BATCH, ...(attack && { attack }) });
    const pgd = { steps: pgdSteps, stepSize: 0.25, randomStart: true };
    return {
      clean: under(),
      fgsm: epsilons.map((epsilon) => under({ epsilon: epsilon / 255, seed: recipe.seed, ...FGSM })),
      pgd: epsilons.map((epsilon) => under({ epsilon: epsilon / 255, seed: recipe.seed, ...pgd })),
    };
  } finally {
    await sources.close();
  }
});
