import { spawn } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

const STDERR_LINES = 15;

/**
 * Runs a program in a process of its own and returns the JSON on the last line of its standard output.
 *
 * @param onLine Told of the lines before that.
 * @throws Error with the end of its standard error when it fails or prints no JSON there.
 */
export async function measureInChild<Result>(
  command: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
  onLine: (line: string) => void = () => {},
): Promise<Result> {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const outcome = await new Promise<string | undefined>((resolve, reject) => {
    child.on('error', (error) => reject(new Error(`Could not run ${command}: ${error.message}.`)));
    child.on('close', (code, signal) => {
      if (signal) resolve(`was ended by ${signal}`);
      else resolve(code === 0 ? undefined : `failed with exit code ${code}`);
    });
  });
  const commandLine = [command, ...args].join(' ');
  const errors = stderr.trim().split('\n').slice(-STDERR_LINES).join('\n');
  if (outcome) throw new Error(`${commandLine} ${outcome}:\n${errors}`);
  const lines = stdout.trimEnd().split('\n');
  const lastLine = lines.at(-1)!;
  lines.slice(0, -1).forEach(onLine);
  try {
    return JSON.parse(lastLine) as Result;
  } catch {
    throw new Error(`Expected ${commandLine} to end with a line of JSON, but got '${lastLine}'.\n${errors}`);
  }
}

/** Runs a file of workers/ under the Node.js flags of this process. */
export function measureInWorker<Result>(
  name: string,
  args: readonly string[],
  {
    nodeFlags = [],
    environment,
    onLine,
  }: {
    nodeFlags?: readonly string[];
    environment?: NodeJS.ProcessEnv;
    onLine?: (line: string) => void;
  } = {},
): Promise<Result> {
  // .ts from source, .js when built.
  const file = fileURLToPath(new URL(`./workers/${name}${extname(import.meta.url)}`, import.meta.url));
  return measureInChild(process.execPath, [...process.execArgv, ...nodeFlags, file, ...args], environment, onLine);
}
