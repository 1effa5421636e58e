import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const CANDIDATES = ['python3', '/usr/bin/python3'];

/**
 * Finds a Python that can import torch.
 *
 * @param wanted The only interpreter to try; without it, `python3` on PATH and then the system's.
 * @throws Error that says what was tried and what to install.
 */
export async function findPythonWithTorch(wanted?: string): Promise<string> {
  const failures: string[] = [];
  for (const python of wanted === undefined ? CANDIDATES : [wanted]) {
    const failure = await importTorch(python);
    if (failure === undefined) return python;
    failures.push(`${python}: ${failure}`);
  }
  throw new Error(
    `Expected a Python with PyTorch to measure against, but found none (${failures.join('; ')}). ` +
      `Install one with "apt-get install python3-torch", or name one with --python.`,
  );
}

/** Why it fails, or undefined. */
async function importTorch(python: string): Promise<string | undefined> {
  try {
    await promisify(execFile)(python, ['-c', 'import torch']);
    return undefined;
  } catch (error) {
    const { stderr = '', message } = error as Error & { stderr?: string };
    return (stderr || message).trim().split('\n').at(-1)!;
  }
}
