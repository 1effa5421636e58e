import { Command } from 'commander';
import { criteriaCommand } from './commands/criteria.ts';
import { inferenceCommand } from './commands/inference.ts';
import { keepingCommand } from './commands/keeping.ts';
import { memoryCommand } from './commands/memory.ts';
import { precisionCommand } from './commands/precision.ts';
import { soakCommand } from './commands/soak.ts';
import { trainStepCommand } from './commands/train-step.ts';

const COMMANDS = [
  trainStepCommand,
  inferenceCommand,
  memoryCommand,
  soakCommand,
  keepingCommand,
  criteriaCommand,
  precisionCommand,
];

const program = new Command('bench').description('Measures secateur on this machine.');
for (const command of COMMANDS) program.addCommand(command());

try {
  await program.parseAsync();
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
