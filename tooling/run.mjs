// Runs a TypeScript file of the workspace from source: node tooling/run.mjs FILE [arguments]
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { root } from './setup/shell.mjs';

const [file, ...args] = process.argv.slice(2);
const child = spawn(process.execPath, ['--conditions=@secateur/source', '--import', 'tsx', join(root, file), ...args], {
  cwd: root,
  stdio: 'inherit',
});
// The child decides how to end. A terminal's Ctrl-C reaches it by itself; SIGTERM is sent to this process alone.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
