import { Command, CommanderError } from 'commander';
import { benchOnnxCommand } from './commands/bench-onnx.ts';
import { completionCommand } from './commands/completion.ts';
import { doctorCommand } from './commands/doctor.ts';
import { evaluateCommand } from './commands/evaluate.ts';
import { exportCommand } from './commands/export.ts';
import { finetuneCommand } from './commands/finetune.ts';
import type { CommonFlags } from './commands/options.ts';
import { pruneCommand } from './commands/prune.ts';
import { reportCommand } from './commands/report.ts';
import { runCommand } from './commands/run.ts';
import { scoreCommand } from './commands/score.ts';
import { trainCommand } from './commands/train.ts';
import { EXIT, type ExitCode, ResumableStop, UsageError } from './exit.ts';
import { type Output, Terminal } from './terminal/terminal.ts';
import { VERSION } from './version.ts';

export interface Surroundings {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted to stop after the step under way. */
  readonly signal: AbortSignal;
}

/** What a command gets to work with. */
export interface Invocation<Flags> {
  readonly args: readonly string[];
  readonly flags: Flags & CommonFlags;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
  /** As it was typed, without the program's name. */
  readonly commandLine: readonly string[];
}

/** Turns the work of a command into a commander action. */
export type Bind = <Flags>(
  work: (invocation: Invocation<Flags>) => Promise<ExitCode>,
) => (...parameters: unknown[]) => Promise<void>;

const EXIT_CODES = `
Exit codes:
  0    done
  1    an error
  2    the command line or a configuration is wrong
  3    done, but a goal of the preset was missed or the ONNX file was not verified
  75   a run or training was stopped by Ctrl-C or SIGTERM; go on with it by --resume
  130  interrupted (Ctrl-C); what has been written is valid
  143  the same by SIGTERM`;

/**
 * Runs the command line `argv` (without node and script).
 *
 * @returns The exit code; whatever goes wrong is reported on stderr and never thrown.
 */
export async function runCli(argv: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok;
  const bind: Bind =
    <Flags>(work: (invocation: Invocation<Flags>) => Promise<ExitCode>) =>
    async (...parameters) => {
      const command = parameters.at(-1) as Command;
      const flags = command.opts<Flags & CommonFlags>();
      const terminal = new Terminal({ ...surroundings, ...flags });
      const { signal } = surroundings;
      try {
        code = await work({ args: command.args, flags, terminal, signal, commandLine: argv });
      } catch (error) {
        code = report(error, { terminal, flags, signal });
      }
    };
  const program = createProgram(surroundings, bind);
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and version end the parsing too, as successes.
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
  return code;
}

function createProgram({ stdout, stderr }: Surroundings, bind: Bind): Command {
  const program = new Command('secateur')
    .description('Makes image classifiers smaller and faster: train, prune class by class, fine-tune, export ONNX.')
    .version(VERSION)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
      // One line: commander puts its suggestion on a second.
      outputError: (text, write) => write(`${text.trim().replaceAll('\n', ' ')}\n`),
    })
    .addHelpText('after', EXIT_CODES)
    .addHelpText('after', '\nStart with: secateur doctor, then secateur run --preset smoke');
  for (const define of [
    runCommand,
    trainCommand,
    scoreCommand,
    pruneCommand,
    finetuneCommand,
    exportCommand,
    evaluateCommand,
    benchOnnxCommand,
    reportCommand,
    doctorCommand,
    completionCommand,
  ]) {
    define(program, bind);
  }
  return program;
}

function report(
  error: unknown,
  { terminal, flags, signal }: { terminal: Terminal; flags: CommonFlags; signal: AbortSignal },
): ExitCode {
  if (error instanceof ResumableStop) {
    terminal.warn(error.message);
    return EXIT.resumable;
  }
  if (signal.aborted) {
    terminal.warn('interrupted; what has been written so far is valid.');
    return EXIT.interrupted;
  }
  terminal.error(error, flags);
  return error instanceof UsageError ? EXIT.usage : EXIT.error;
}
