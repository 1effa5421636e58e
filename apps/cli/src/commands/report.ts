import type { Command } from 'commander';
import type { Bind, Invocation } from '../cli.ts';
import { EXIT, type ExitCode, UsageError } from '../exit.ts';
import { readRun } from '../report/read-run.ts';
import type { StaticPlot } from '../report/static/static-plots.ts';
import { writeReport } from '../report/write-report.ts';
import { addCommonOptions, choices } from './options.ts';
import { shortPath } from './with-run-directory.ts';

interface Flags {
  readonly out?: string;
  readonly svg?: string;
  readonly png?: string;
  readonly plots: readonly StaticPlot[];
  readonly tensorboard?: string;
}

/** As in static-plots.ts, which is loaded only where plots are drawn. */
const PLOTS = [
  'overview',
  'pareto',
  'filters',
  'classes',
  'scores',
  'training',
  'confusion',
] as const satisfies StaticPlot[];

export function reportCommand(program: Command, bind: Bind): void {
  const command = program
    .command('report')
    .description('Makes a page about a run, finished or not, or about several next to each other.')
    .argument('<run...>', 'run directories')
    .option('--out <file>', 'the page; default: report.html in the run directory, of several runs in this folder')
    .option('--svg <dir>', 'write plots of one run as SVG files, for light and dark pages, in place of the page')
    .option('--png <dir>', 'the same as PNG files')
    .addOption(
      choices('--plots <names>', `which of them: ${PLOTS.join(', ')}; default: all`, PLOTS).default(PLOTS, 'all'),
    )
    .option(
      '--tensorboard <dir>',
      'write an event file of TensorBoard, with scalars and histograms, in place of the page',
    );
  addCommonOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  secateur report runs/quickstart                          writes runs/quickstart/report.html
  secateur report runs/a runs/b runs/c --out abc.html      compares three runs
  secateur report runs/quickstart --svg docs --plots overview,pareto
  secateur report runs/quickstart --tensorboard logs/quickstart`,
    )
    .action(bind(report));
}

async function report({ args, flags, terminal }: Invocation<Flags>): Promise<ExitCode> {
  const { svg, png, tensorboard } = flags;
  const inPlace = svg !== undefined || png !== undefined || tensorboard !== undefined;
  if (inPlace && (args.length > 1 || flags.out !== undefined)) {
    const why =
      args.length > 1 ? `of one run, but there are ${args.length}` : 'in place of the page, but there is --out too';
    throw new UsageError(`--svg, --png and --tensorboard write files ${why}. Call secateur report once for each.`);
  }
  const files = inPlace ? await writeFiles(args[0]!, flags) : [await writeReport(args, { out: flags.out })];
  terminal.result({ text: () => files.map(shortPath).join('\n'), value: inPlace ? { files } : { report: files[0] } });
  return EXIT.ok;
}

async function writeFiles(
  path: string,
  { svg, png, tensorboard, plots }: Pick<Flags, 'svg' | 'png' | 'tensorboard' | 'plots'>,
): Promise<string[]> {
  const files: string[] = [];
  if (svg !== undefined || png !== undefined) {
    // What draws is slow to load, and no other command needs it.
    const { writePlots } = await import('../report/static/write-plots.ts');
    const run = await readRun(path);
    if (svg !== undefined) files.push(...(await writePlots(run, { plots, folder: svg, format: 'svg' })));
    if (png !== undefined) files.push(...(await writePlots(run, { plots, folder: png, format: 'png' })));
  }
  if (tensorboard !== undefined) {
    const { writeTensorBoard } = await import('../report/tensorboard/write-tensorboard.ts');
    files.push(await writeTensorBoard(path, tensorboard));
  }
  return files;
}
