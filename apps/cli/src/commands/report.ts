import type { Command } from 'commander';
import type { Bind, Invocation } from '../cli.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { writeReport } from '../report/write-report.ts';
import { addCommonOptions } from './options.ts';
import { shortPath } from './with-run-directory.ts';

interface Flags {
  readonly out?: string;
}

export function reportCommand(program: Command, bind: Bind): void {
  const command = program
    .command('report')
    .description('Makes a page about a run, finished or not, or about several next to each other.')
    .argument('<run...>', 'run directories')
    .option('--out <file>', 'the page; default: report.html in the run directory, of several runs in this folder');
  addCommonOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  secateur report runs/quickstart                      writes runs/quickstart/report.html
  secateur report runs/a runs/b runs/c --out abc.html  compares three runs`,
    )
    .action(bind(report));
}

async function report({ args, flags, terminal }: Invocation<Flags>): Promise<ExitCode> {
  const file = await writeReport(args, { out: flags.out });
  terminal.result({ text: () => shortPath(file), value: { report: file } });
  return EXIT.ok;
}
