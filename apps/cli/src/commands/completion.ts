import { Argument, type Command } from 'commander';
import type { Bind, Invocation } from '../cli.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { type CompletedCommand, completionScript, SHELLS, type Shell } from '../terminal/completion-script.ts';
import { addCommonOptions, choiceOf } from './options.ts';

export function completionCommand(program: Command, bind: Bind): void {
  const command = program
    .command('completion')
    .description('Prints a script that completes commands, options and their values.')
    .addArgument(new Argument('<shell>', SHELLS.join(', ')).argParser(choiceOf(SHELLS)));
  addCommonOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  secateur completion bash >> ~/.bashrc
  secateur completion zsh >> ~/.zshrc
  secateur completion fish > ~/.config/fish/completions/secateur.fish`,
    )
    .action(bind((invocation: Invocation<object>) => print(invocation, program)));
}

async function print({ args, terminal }: Invocation<object>, program: Command): Promise<ExitCode> {
  const [shell] = args as [Shell];
  const commands = program.commands.map(describe);
  terminal.result({ text: () => completionScript(shell, commands), value: { shell, commands } });
  return EXIT.ok;
}

function describe(command: Command): CompletedCommand {
  return {
    name: command.name(),
    description: command.description(),
    options: command.options.map(({ long, description, argChoices, required }) => ({
      name: long!,
      description,
      takesValue: required,
      values: argChoices ?? [],
    })),
  };
}
