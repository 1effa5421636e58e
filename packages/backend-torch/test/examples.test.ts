import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

it('examples/fit.ts: the layers API with callbacks learns drawn digits', () => {
  const args = ['--conditions=@secateur/source', '--import', 'tsx', 'examples/fit.ts', 'torch', '1024', '5'];
  const printed = execFileSync(process.execPath, args, {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    encoding: 'utf8',
  });
  expect(printed.match(/^epoch \d: loss/gm)).toHaveLength(5);
  expect(Number(/^torch: test accuracy (.+)$/m.exec(printed)![1])).toBeGreaterThan(0.8);
});
