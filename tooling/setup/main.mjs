// Brings a bare machine to where the workspace runs: pnpm, dependencies, libtorch, the native addon, the packages.
// Every step first looks whether it is needed, so that a second call takes seconds.
//   --quiet     print only steps that do something, and of the commands they run only what failed
//   --checkers  also what only tests use: Python's onnx.checker and PyTorch
//   --no-build  leave out the packages' dist folders; sources run without them
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { installDependencies } from './dependencies.mjs';
import { ensureLibtorch } from './libtorch.mjs';
import { ensurePnpm } from './pnpm.mjs';
import { ensureOracle, ORACLES } from './python-oracles.mjs';
import { root, run } from './shell.mjs';

const { values: options } = parseArgs({
  options: {
    quiet: { type: 'boolean', default: false },
    checkers: { type: 'boolean', default: false },
    'no-build': { type: 'boolean', default: false },
  },
});

/**
 * @typedef {object} Surroundings
 * @property {(what: string) => void} announce says that something long begins
 * @property {boolean} show whether the user sees what long commands print
 *
 * @typedef {{ name: string, run: (surroundings: Surroundings) => string | void }} Step `run` returns what it found or did.
 */

/** @type {Step[]} */
const steps = [
  { name: 'Node.js', run: checkNode },
  { name: 'pnpm', run: ensurePnpm },
  { name: 'dependencies', run: installDependencies },
  { name: 'libtorch', run: ensureLibtorch },
  { name: 'native addon', run: buildAddon },
];
if (options.checkers) {
  for (const oracle of ORACLES) {
    steps.push({ name: oracle.name, run: (surroundings) => ensureOracle(oracle, surroundings) });
  }
}
if (!options['no-build']) steps.push({ name: 'packages', run: buildPackages });

const secondsSince = (begin) => ((performance.now() - begin) / 1000).toFixed(1);
const started = performance.now();
for (const [index, { name, run }] of steps.entries()) {
  const label = `[${index + 1}/${steps.length}] ${name}`;
  const begin = performance.now();
  let announced = false;
  const announce = (what) => {
    announced = true;
    console.error(`${label}: ${what} ...`);
  };
  try {
    const outcome = run({ announce, show: !options.quiet });
    if (!options.quiet || announced) console.error(`${label}: ${outcome || 'ready'} (${secondsSince(begin)} s)`);
  } catch (error) {
    console.error(`${label}: ${error instanceof Error ? error.message : error}`);
    process.exit(1);
  }
}
if (!options.quiet) console.error(`Set up in ${secondsSince(started)} s.`);

function checkNode() {
  const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const oldest = engines.node.replace('>=', '');
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [oldestMajor, oldestMinor] = oldest.split('.').map(Number);
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
    throw new Error(`Expected Node.js ${oldest} or newer, but this is ${process.versions.node}. Install a newer one.`);
  }
  return process.versions.node;
}

/** Announces itself when it has something to do. */
function buildAddon() {
  run('node', [join(root, 'packages/backend-torch/scripts/build.mjs'), '--quiet'], { show: true });
}

function buildPackages() {
  run('node', [join(root, 'tooling/turbo.mjs'), 'run', 'build', '--output-logs=errors-only']);
}
