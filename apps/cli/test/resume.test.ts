import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { type CrashScene, crashScene, goOn, type Moment, resultOf, runUntil } from './crash.ts';

let scene: CrashScene;
let whole: Record<string, unknown>;
let seconds: number;
beforeAll(async () => {
  scene = await crashScene({ everySteps: 1 });
  const out = join(scene.folder, 'whole');
  const ended = await runUntil(scene.start(out), out);
  expect(ended.code, ended.stderr).toBe(0);
  seconds = ended.seconds;
  whole = resultOf(out);
});

it('ends with the same bits however often it is killed', async () => {
  const out = join(scene.folder, 'killed');
  // Shares of the time that the whole run takes; what comes after a start is done again, so that all get past it.
  const moments: Moment[] = [
    { after: 400 * seconds },
    { duringCheckpoint: 3 },
    { after: 600 * seconds },
    { duringCheckpoint: 20 },
  ];
  let kills = 0;
  for (const moment of moments) kills += (await runUntil(goOn(scene, out), out, moment)).killed ? 1 : 0;
  expect(kills).toBeGreaterThanOrEqual(2);
  const ended = await runUntil(goOn(scene, out), out);
  expect(ended.code, ended.stderr).toBe(0);
  expect(resultOf(out)).toEqual(whole);
});
