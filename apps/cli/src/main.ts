#!/usr/bin/env node
import { runCli } from './cli.ts';
import { EXIT } from './exit.ts';

const interruption = new AbortController();
let terminated = false;
process.on('SIGINT', () => {
  if (interruption.signal.aborted) process.exit(EXIT.interrupted);
  interruption.abort();
  process.stderr.write('\nStopping after this step; Ctrl-C again stops at once.\n');
});
// It may come twice, to the process and through the one that started it, so that a second means nothing new.
process.on('SIGTERM', () => {
  if (interruption.signal.aborted) return;
  terminated = true;
  interruption.abort();
  process.stderr.write('\nStopping after this step.\n');
});
// A reader that has seen enough, such as head, is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) =>
  process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.error),
);

const code = await runCli(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  signal: interruption.signal,
});
process.exitCode = terminated && code === EXIT.interrupted ? EXIT.terminated : code;
