import type { Command } from 'commander';
import type { Bind, Invocation } from '../cli.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { writeReport } from '../report/write-report.ts';
import type { RunContext } from '../run/context.ts';
import { executeRun } from '../run/execute-run.ts';
import { PRESET_NAMES, PRESETS, type PresetName } from '../run/presets.ts';
import { summaryReport } from '../terminal/summary-report.ts';
import {
  addCommonOptions,
  addConfigOptions,
  addDataOption,
  addEngineOptions,
  addOutOptions,
  addPruningOptions,
  type ConfigFlags,
  choice,
  type DataFlags,
  type EngineFlags,
  type OutFlags,
  type PruningFlags,
} from './options.ts';
import { precisionFor, readConfig } from './read-config.ts';
import { loadDatasetFor, startEngineFor } from './start.ts';
import { shortPath, withRunDirectory } from './with-run-directory.ts';

type Flags = ConfigFlags & PruningFlags & DataFlags & EngineFlags & OutFlags & { readonly preset: PresetName };

export function runCommand(program: Command, bind: Bind): void {
  const command = program
    .command('run')
    .description(
      'The main job: train a network, prune it class by class, fine-tune, export to ONNX, verify, and report.',
    )
    .addOption(choice('--preset <name>', PRESET_NAMES.join(' or '), PRESET_NAMES).default('quickstart'));
  addConfigOptions(command, { trained: 'from scratch' });
  addPruningOptions(command);
  addOutOptions(command, 'runs/<preset>-<time>');
  addDataOption(command);
  addEngineOptions(command);
  addCommonOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  secateur run                                  CIFAR-10 from random weights to a verified, smaller ONNX file
  secateur run --preset smoke                   the same path in under a minute
  secateur run --network resnet20 --target 0.6  another network, more removed
  secateur run --config my.json --out runs/a    settings from a file, such as { "training": { "epochs": 20 } }`,
    )
    .action(bind(run));
}

async function run(invocation: Invocation<Flags>): Promise<ExitCode> {
  const { flags, terminal } = invocation;
  const asked = await readConfig(flags, 'training', PRESETS[flags.preset]);
  const engine = await startEngineFor(invocation);
  const precision = precisionFor(asked, { flags, engine, terminal });
  const config = { ...asked, precision };
  const identity = { command: 'run', preset: flags.preset, config, engine };
  return withRunDirectory(invocation, { name: flags.preset, identity }, async (context) => {
    const dataset = await context.stopwatch.time('data', () => loadDatasetFor(invocation));
    const summary = await executeRun(config, { ...context, dataset, engine });
    terminal.line();
    terminal.result({ text: () => summaryReport(summary, { colors: terminal.resultColors }), value: summary });
    await reportOn(context);
    terminal.line();
    terminal.step(
      'Written',
      `report.html, model.onnx, model/, summary.json and more in ${shortPath(context.directory.path)}`,
    );
    return summary.passed ? EXIT.ok : EXIT.goalMissed;
  });
}

/** What the run was for is there already: a page that cannot be made is no reason to fail. */
async function reportOn({ directory, terminal }: RunContext): Promise<void> {
  try {
    await writeReport([directory.path]);
  } catch (error) {
    terminal.warn(
      `report.html could not be written (${(error as Error).message}). Try again with: secateur report ${shortPath(directory.path)}`,
    );
  }
}
