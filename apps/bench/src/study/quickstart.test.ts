import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { SELECTION } from '../keeping/protocol.ts';
import { IMAGES, OBJECTIVE, PRECISION, tunings } from './quickstart.ts';

it("trains and prunes as the published run of the command line's preset", async () => {
  const file = new URL('../../../../docs/quickstart/config.json', import.meta.url);
  const { config } = JSON.parse(await readFile(file, 'utf8'));
  expect(config).toMatchObject({ ...IMAGES, objective: OBJECTIVE, precision: PRECISION, ...SELECTION });
  const { base, fine, final } = tunings({
    epochs: config.training.epochs,
    fineTuneEpochs: config.fineTune.epochs,
    finalTuneEpochs: config.finalTune.epochs,
  });
  expect(config).toMatchObject({ training: base, fineTune: fine, finalTune: final });
});
