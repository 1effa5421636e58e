import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { checkOnnx } from '../src/index.ts';

const run = promisify(execFile);
const python = '/usr/bin/python3';

/** Whether Debian's python3-onnx is there. */
export const hasChecker = await run(python, ['-c', 'import onnx.checker']).then(
  () => true,
  () => false,
);

/** For the name of a test that needs it. */
export const without = hasChecker ? '' : ' (LEFT OUT: install python3-onnx)';

/** Fails unless onnx.checker accepts each file, of opset 17 at most, and infers the shapes that `checkOnnx` infers. */
export async function expectAccepted(files: readonly Uint8Array[]): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'secateur-checker-'));
  try {
    const paths = files.map((_, i) => join(directory, `${i}.onnx`));
    for (const [i, path] of paths.entries()) await writeFile(path, files[i]!);
    const script = fileURLToPath(new URL('onnx_checker.py', import.meta.url));
    const { stdout } = await run(python, [script, ...paths], { maxBuffer: 2 ** 26 });
    const inferred: Record<string, (number | string)[]>[] = JSON.parse(stdout);
    expect(inferred).toHaveLength(files.length);
    for (const [i, shapes] of inferred.entries()) {
      const own = checkOnnx(files[i]!);
      expect(Object.keys(shapes).length).toBeGreaterThan(0);
      for (const [value, dims] of Object.entries(shapes)) {
        const known = own.get(value)!.dims!;
        // A size that onnx does not know gets a name that it makes up.
        const stated = dims.map((size, axis) => (String(size).startsWith('unk__') ? known[axis] : size));
        expect([value, known]).toEqual([value, stated]);
      }
    }
  } finally {
    await rm(directory, { recursive: true });
  }
}
