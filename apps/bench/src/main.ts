import { Command } from 'commander';
import { memoryCommand } from './commands/memory.ts';
import { trainStepCommand } from './commands/train-step.ts';

const COMMANDS = [trainStepCommand, memoryCommand];

const program = new Command('bench').description("Measures secateur's engine on this machine.");
for (const command of COMMANDS) program.addCommand(command());

try {
  await program.parseAsync();
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
