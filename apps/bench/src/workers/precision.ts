// Trains one network of a Task.
import { evaluate, train } from '@secateur/core';
import { vgg11 } from '@secateur/models';
import { openCifar10 } from '../cifar10.ts';
import type { PrecisionRecord, Task } from '../precision/records.ts';
import { answer } from '../study/answer.ts';
import { OBJECTIVE, tunings } from '../study/quickstart.ts';

await answer(async ({ setup, seed, precision, data }: Task): Promise<PrecisionRecord> => {
  const images = await openCifar10({ ...setup, seed, data });
  try {
    const model = vgg11({ width: setup.width, seed });
    const { base } = tunings({ epochs: setup.epochs, fineTuneEpochs: 0, finalTuneEpochs: 0 });
    let loss = Number.NaN;
    for await (const event of train(model, images.training, { ...base, objective: OBJECTIVE, precision })) {
      if (event.type === 'epoch') loss = event.loss;
    }
    const { accuracy } = await evaluate(model, images.test);
    return { testAccuracy: accuracy, loss };
  } finally {
    await images.close();
  }
});
