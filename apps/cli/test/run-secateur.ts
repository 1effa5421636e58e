import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { runCli } from '../src/cli.ts';

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line inside this process. */
export async function secateur(...args: readonly string[]): Promise<Outcome> {
  const written = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof written) => ({
    write: (text: string) => {
      written[name] += text;
    },
  });
  const code = await runCli(args, {
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    env: {},
    signal: new AbortController().signal,
  });
  return { code, ...written };
}

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));

/** Runs it as a process of its own, as a user does. */
export function spawnSecateur(
  args: readonly string[],
  {
    preload = [],
    env = {},
    onStderr,
  }: {
    readonly preload?: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
    readonly onStderr?: (text: string, send: (signal: NodeJS.Signals) => void) => void;
  } = {},
): Promise<Outcome> {
  const imports = ['tsx', ...preload].flatMap((module) => ['--import', module]);
  const child = spawn(process.execPath, ['--conditions=@secateur/source', ...imports, MAIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  const written = { stdout: '', stderr: '' };
  child.stdout.on('data', (text: Buffer) => {
    written.stdout += text;
  });
  child.stderr.on('data', (text: Buffer) => {
    written.stderr += text;
    onStderr?.(written.stderr, (signal) => child.kill(signal));
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...written }));
  });
}
