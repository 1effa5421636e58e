import * as tf from '@tensorflow/tfjs-core';
import type { Command } from 'commander';
import type { Bind, Invocation } from '../cli.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { CIFAR10_CACHE, isCifar10Cached } from '../run/dataset.ts';
import { ENGINES, type Engine, startEngine, type UnusableEngine } from '../run/engine.ts';
import { installedTfjsNode } from '../run/tfjs-node.ts';
import { table } from '../terminal/table.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { VERSION } from '../version.ts';
import { addCommonOptions } from './options.ts';

interface Finding {
  readonly what: string;
  readonly remedy: string;
}

interface Diagnosis {
  /** Whether the main job can be done here in reasonable time. */
  readonly usable: boolean;
  readonly versions: Readonly<Record<string, string>>;
  readonly platform: string;
  readonly engine: Engine;
  readonly unusableEngines: readonly UnusableEngine[];
  readonly data: { readonly folder: string; readonly cached: boolean };
  readonly missing: readonly Finding[];
}

export function doctorCommand(program: Command, bind: Bind): void {
  const command = program
    .command('doctor')
    .description('Tells what secateur runs on here, what is missing, and what to do about it.');
  addCommonOptions(command)
    .addHelpText(
      'after',
      '\nExit code 1 if there is no fast engine or no onnxruntime.\n\nExample:\n  secateur doctor --json',
    )
    .action(bind(doctor));
}

async function doctor({ terminal }: Invocation<object>): Promise<ExitCode> {
  const diagnosis = await diagnose();
  terminal.result({ text: () => report(diagnosis, terminal.resultColors), value: diagnosis });
  return diagnosis.usable ? EXIT.ok : EXIT.error;
}

async function diagnose(): Promise<Diagnosis> {
  const { engine, unusable } = await startEngine();
  const onnxruntime = await onnxruntimeVersion();
  const tfjsNode = installedTfjsNode();
  // @tensorflow/tfjs-node is a choice, and nothing is missing without it.
  const missing = unusable
    .filter(({ name }) => name === 'torch')
    .map(({ reason, remedy }): Finding => ({ what: `the engine 'torch': ${reason}`, remedy }));
  if (!onnxruntime) {
    missing.push({
      what: `onnxruntime-node, to verify and time ONNX files, on ${process.platform}-${process.arch}`,
      remedy: 'Run: npm install onnxruntime-node',
    });
  }
  const cached = isCifar10Cached();
  return {
    usable: engine.name !== 'cpu' && onnxruntime !== undefined,
    versions: {
      secateur: VERSION,
      node: process.version,
      tfjs: tf.version_core,
      ...(onnxruntime && { onnxruntime }),
      ...(tfjsNode && { 'tfjs-node': tfjsNode }),
      ...engine.versions,
    },
    platform: `${process.platform}-${process.arch}`,
    engine,
    unusableEngines: unusable,
    data: { folder: CIFAR10_CACHE, cached },
    missing,
  };
}

async function onnxruntimeVersion(): Promise<string | undefined> {
  try {
    const { env } = await import('onnxruntime-node');
    return env.versions.node ?? env.versions.common;
  } catch {
    return undefined;
  }
}

const BFLOAT16: Record<Engine['bfloat16'], string> = {
  hardware: 'float32, bfloat16 (this processor has instructions for it)',
  emulated: 'float32 (bfloat16 works, but this processor has no instructions for it)',
  none: 'float32',
};

function report(
  { versions, platform, engine, data, missing, usable }: Diagnosis,
  colors: Terminal['resultColors'],
): string {
  const facts = table(
    [{ title: '' }, { title: '', align: 'left' }],
    [
      ['engine', `${engine.name} (${engine.description})`],
      ['chosen from', `${ENGINES.join(', ')}: the first that works`],
      [
        'tensorflow',
        versions['tfjs-node'] ? `tfjs-node ${versions['tfjs-node']} is installed` : 'tfjs-node is not installed',
      ],
      ['threads', engine.threads === null ? "the engine's own choice" : `${engine.threads}`],
      ['precision', BFLOAT16[engine.bfloat16]],
      ...Object.entries(versions).filter(([name]) => name !== 'tfjs-node'),
      ['platform', platform],
      [
        'CIFAR-10',
        data.cached ? `in ${data.folder}` : `not downloaded yet (139 MB, on the first run, to ${data.folder})`,
      ],
    ],
  );
  const findings = missing.map(({ what, remedy }) => `${colors.yellow('missing:')} ${what}\n  ${remedy}`);
  const verdict = usable ? colors.green('Ready.') : colors.red('Not ready for the main job.');
  return [facts, ...findings, verdict].join('\n\n');
}
