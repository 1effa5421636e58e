import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { installByApt } from './apt.mjs';
import { root } from './shell.mjs';

/**
 * What of Debian's Python the tests ask for a second opinion. Nothing else needs it: where apt cannot bring it, those tests say
 * that they are left out.
 *
 * @typedef {{ name: string, modules: string, packages: string[] }} Oracle
 * @type {Oracle[]}
 */
export const ORACLES = [
  { name: 'onnx.checker', modules: 'onnx.checker', packages: ['python3-onnx'] },
  { name: 'PyTorch', modules: 'torch, torchvision, torch.onnx', packages: ['python3-torch', 'python3-torchvision'] },
];

/** @param {Oracle} oracle */
export function ensureOracle({ name, modules, packages }, surroundings) {
  const loads = () => spawnSync('/usr/bin/python3', ['-c', `import ${modules}`]).status === 0;
  const names = packages.join(', ');
  if (loads()) return names;
  // Why apt could not bring it, so that the next call need not try in vain.
  const failureFile = join(root, '.cache', `${name}-apt-failure.txt`);
  if (existsSync(failureFile)) return `not there; delete ${relative(root, failureFile)} to try apt-get again`;
  const failure = installByApt(packages, surroundings);
  if (loads()) return `${names} by apt-get`;
  const why = (failure ?? 'what apt-get installed does not load').split('\n')[0];
  mkdirSync(dirname(failureFile), { recursive: true });
  writeFileSync(failureFile, `${why}\n`);
  return `not there (${why}): its tests will be left out`;
}
