// Brings a bare machine to where the workspace runs: pnpm, dependencies, libtorch, the native addon, the packages.
// Every step first looks whether it is needed, so that a second call takes seconds.
//   --quiet     print only steps that do something
//   --no-build  leave out the packages' dist folders; sources run without them
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { installDependencies } from './dependencies.mjs';
import { ensureLibtorch } from './libtorch.mjs';
import { ensurePnpm } from './pnpm.mjs';
import { root, run, runShown } from './shell.mjs';

const OLDEST_NODE = 20;

const { values: options } = parseArgs({
  options: { quiet: { type: 'boolean', default: false }, 'no-build': { type: 'boolean', default: false } },
});

/** @typedef {{ name: string, run: () => string | void }} Step `run` returns what it found or did. */

/** @type {Step[]} */
const steps = [
  { name: 'Node.js', run: checkNode },
  { name: 'pnpm', run: ensurePnpm },
  { name: 'dependencies', run: installDependencies },
  { name: 'libtorch', run: ensureLibtorch },
  { name: 'native addon', run: () => runShown('node', [join(root, 'packages/backend-torch/scripts/build.mjs'), '--quiet']) },
];
if (!options['no-build']) {
  const turbo = [join(root, 'tooling/turbo.mjs'), 'run', 'build', '--output-logs=errors-only'];
  steps.push({ name: 'packages', run: () => void run('node', turbo) });
}

const started = performance.now();
for (const [index, { name, run }] of steps.entries()) {
  const label = `[${index + 1}/${steps.length}] ${name}`;
  const begin = performance.now();
  try {
    const outcome = run();
    const seconds = (performance.now() - begin) / 1000;
    if (!options.quiet || seconds > 3) console.error(`${label}: ${outcome || 'ready'} (${seconds.toFixed(1)} s)`);
  } catch (error) {
    console.error(`${label}: ${error instanceof Error ? error.message : error}`);
    process.exit(1);
  }
}
if (!options.quiet) console.error(`Set up in ${((performance.now() - started) / 1000).toFixed(1)} s.`);

function checkNode() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < OLDEST_NODE) {
    throw new Error(
      `Expected Node.js ${OLDEST_NODE} or newer, but this is ${process.versions.node}. Install a newer one.`,
    );
  }
  return process.versions.node;
}
