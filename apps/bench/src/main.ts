import { Command } from 'commander';
import { COMMANDS } from './commands/index.ts';
import { StudyPaused } from './study/study.ts';

/** So that a shell can go on until all is measured; sysexits.h calls it EX_TEMPFAIL. */
const PAUSED = 75;

const program = new Command('bench').description('Measures secateur on this machine.');
for (const command of COMMANDS) program.addCommand(command());

try {
  await program.parseAsync();
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = error instanceof StudyPaused ? PAUSED : 1;
}
