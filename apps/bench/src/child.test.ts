import { expect, test } from 'vitest';
import { measureInChild } from './child.ts';

const run = (script: string) => measureInChild(process.execPath, ['-e', script], { GREETING: 'hello' });

test('the result is the last line of standard output', async () => {
  expect(await run('console.log("loading"); console.log(JSON.stringify([process.env.GREETING]))')).toEqual(['hello']);
});

test('a failing program is reported with its exit code and errors', async () => {
  await expect(run('console.error("no such kernel"); process.exit(3)')).rejects.toThrow(
    /failed with exit code 3:\nno such kernel/,
  );
});

test('a killed program is reported with the signal', async () => {
  await expect(run('process.kill(process.pid, "SIGKILL")')).rejects.toThrow(/was ended by SIGKILL/);
});

test('output that is no JSON is an error that quotes it', async () => {
  await expect(run('console.log("done")')).rejects.toThrow(/to end with a line of JSON, but got 'done'/);
  await expect(run('')).rejects.toThrow(/to end with a line of JSON, but got ''/);
});

test('a program that does not exist is named', async () => {
  await expect(measureInChild('no-such-program', [])).rejects.toThrow(/Could not run no-such-program: /);
});
