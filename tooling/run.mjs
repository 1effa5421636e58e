// Runs a TypeScript file of the workspace from source: node tooling/run.mjs FILE [arguments]
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { root } from './setup/shell.mjs';

const [file, ...args] = process.argv.slice(2);
const child = spawn(process.execPath, ['--conditions=@secateur/source', '--import', 'tsx', join(root, file), ...args], {
  cwd: root,
  stdio: 'inherit',
});
// The child gets the terminal's signals itself and decides how to end.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {});
child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
