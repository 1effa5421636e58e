import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import type { Precision } from '@secateur/core';
import * as tf from '@tensorflow/tfjs-core';
import { UsageError } from '../exit.ts';
import { loadTfjsNode } from './tfjs-node.ts';

export const ENGINES = ['torch', 'tensorflow', 'cpu'] as const;
export type EngineName = (typeof ENGINES)[number];

export interface Engine {
  readonly name: EngineName;
  /** What computes, with its version. */
  readonly description: string;
  /** null where the engine does not say. */
  readonly threads: number | null;
  /** 'emulated': it works, but the processor has no instructions for it. */
  readonly bfloat16: 'hardware' | 'emulated' | 'none';
  /** Versions of what it consists of. */
  readonly versions: Readonly<Record<string, string>>;
}

export interface UnusableEngine {
  readonly name: EngineName;
  readonly reason: string;
  readonly remedy: string;
}

export interface EngineChoice {
  readonly engine: Engine;
  /** Faster engines that were tried first. */
  readonly unusable: readonly UnusableEngine[];
}

const REMEDIES: Record<EngineName, string> = {
  torch:
    'Install libtorch (apt-get install libtorch-dev, or pip install torch), then run: npx tfjs-backend-torch build',
  tensorflow: 'Run: npm install @tensorflow/tfjs-node',
  cpu: 'Reinstall secateur.',
};

/**
 * Starts the fastest engine that works here, or the one that is asked for.
 *
 * @throws Error when the engine asked for does not work, with the reason and a remedy.
 */
export async function startEngine({
  engine,
  threads,
}: {
  engine?: EngineName | undefined;
  threads?: number | undefined;
} = {}): Promise<EngineChoice> {
  const unusable: UnusableEngine[] = [];
  for (const name of engine ? [engine] : ENGINES) {
    try {
      return { engine: await STARTERS[name](threads), unusable };
    } catch (error) {
      if (error instanceof UsageError) throw error;
      unusable.push({ name, reason: firstSentence(error as Error), remedy: REMEDIES[name] });
    }
  }
  const [{ name, reason, remedy }] = unusable as [UnusableEngine];
  throw new Error(`The engine '${name}' does not work here: ${reason} ${remedy}`);
}

/** Falls back to float32 where bfloat16 would not be faster. */
export function fastPrecision(wanted: Precision, engine: Engine): Precision {
  return engine.bfloat16 === 'hardware' ? wanted : 'float32';
}

const STARTERS: Record<EngineName, (threads: number | undefined) => Promise<Engine>> = {
  async torch(threads) {
    const torch = await import('@secateur/tfjs-backend-torch');
    if (threads !== undefined) torch.setThreads(threads);
    await activate('torch');
    const versions = torch.versions();
    return {
      name: 'torch',
      description: `libtorch ${versions.libtorch}`,
      threads: torch.threads(),
      bfloat16: hasBfloat16Instructions() ? 'hardware' : 'emulated',
      versions: { ...versions },
    };
  },
  async tensorflow(threads) {
    rejectThreads('tensorflow', threads);
    const tfjsNode = await loadTfjsNode();
    await activate('tensorflow');
    const version = tfjsNode.version['tfjs-node'] ?? 'unknown';
    return {
      name: 'tensorflow',
      description: `tfjs-node ${version}`,
      threads: null,
      bfloat16: 'none',
      versions: { 'tfjs-node': version },
    };
  },
  async cpu(threads) {
    rejectThreads('cpu', threads);
    const { version_cpu: version } = await import('@tensorflow/tfjs-backend-cpu');
    await activate('cpu');
    return {
      name: 'cpu',
      description: `tfjs-backend-cpu ${version}`,
      threads: 1,
      bfloat16: 'none',
      versions: { 'tfjs-backend-cpu': version },
    };
  },
};

async function activate(backend: string): Promise<void> {
  if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js could not start its backend '${backend}'.`);
  await tf.ready();
}

function rejectThreads(engine: EngineName, threads: number | undefined): void {
  if (threads !== undefined) {
    throw new UsageError(`--threads sets the threads of the engine 'torch', but '${engine}' would run. Leave it out.`);
  }
}

function hasBfloat16Instructions(): boolean {
  try {
    return /\b(avx512_bf16|amx_bf16|bf16)\b/.test(readFileSync('/proc/cpuinfo', 'utf8'));
  } catch {
    return cpus().some(({ model }) => /^Apple M[2-9]/.test(model));
  }
}

function firstSentence({ message }: Error): string {
  const [line] = message.split('\n') as [string];
  return line.endsWith('.') ? line : `${line}.`;
}
