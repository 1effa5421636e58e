// Runs a program of the workspace: node tooling/run.mjs FILE [arguments]
// A .ts file runs from source. A .js file of a dist folder runs as users of the published packages have it, and some percent faster: tsx
// keeps the names of functions, at the cost of work wherever one is made.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { extname, join } from 'node:path';
import { root } from './setup/shell.mjs';

const [file, ...args] = process.argv.slice(2);
const flags = extname(file) === '.ts' ? ['--conditions=@secateur/source', '--import', 'tsx'] : [];
const child = spawn(process.execPath, [...flags, join(root, file), ...args], { cwd: root, stdio: 'inherit' });
// The child decides how to end. A terminal's Ctrl-C reaches it by itself; SIGTERM is sent to this process alone.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
