import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { crashScene, goOn, type Moment, resultOf, runUntil } from './crash.ts';

/**
 * Kills runs with SIGKILL again and again, at random moments and while checkpoints are written, goes on with each until it
 * is complete, and compares with a run that nobody killed. From the package's folder:
 *
 *     pnpm crash [kills, default 50]
 */
const wanted = Number(process.argv[2] ?? 50);
if (!Number.isInteger(wanted) || wanted < 1)
  throw new Error(`Expected a number of kills, but received '${process.argv[2]}'.`);

const scene = await crashScene({ everySteps: 1 });
const reference = join(scene.folder, 'whole');
const whole = await runUntil(scene.start(reference));
if (whole.code !== 0) throw new Error(`The run that nobody kills ended with ${whole.code}: ${whole.stderr}`);
const expected = resultOf(reference);

const during = { anything: 0, checkpoint: 0 };
for (let run = 1; during.anything + during.checkpoint < wanted; run++) {
  const out = join(scene.folder, `killed-${run}`);
  for (;;) {
    const left = wanted - during.anything - during.checkpoint;
    // From the very start of the process to after its end; half of the kills hit the writing of a checkpoint.
    const moment: Moment =
      Math.random() < 1 / 2
        ? { duringCheckpoint: 1 + Math.floor(Math.random() * 12) }
        : { after: Math.random() * 1000 * whole.seconds };
    const ended = await runUntil(goOn(scene, out), left > 0 ? moment : undefined);
    if (ended.killed) {
      during['after' in moment ? 'anything' : 'checkpoint']++;
      continue;
    }
    if (ended.code !== 0) throw new Error(`'${out}' ended with ${ended.code}: ${ended.stderr}`);
    break;
  }
  if (!isDeepStrictEqual(resultOf(out), expected)) throw new Error(`'${out}' differs from '${reference}'.`);
  const hidden = readdirSync(out).filter((name) => name.startsWith('.'));
  if (hidden.length > 0) throw new Error(`'${out}' has left ${hidden.join(', ')}.`);
  process.stdout.write(
    `run ${run} is the same, after ${during.anything} kills at random and ${during.checkpoint} in checkpoints\n`,
  );
}
