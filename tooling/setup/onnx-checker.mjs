import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { installByApt } from './apt.mjs';
import { root } from './shell.mjs';

/** Why apt could not bring it, so that the next call need not try in vain. */
const failureFile = join(root, '.cache', 'onnx-checker-apt-failure.txt');

/**
 * Gets Debian's python3-onnx, whose onnx.checker gives the tests of the export a second opinion. Nothing else needs it: where apt
 * cannot bring it, those tests say that they are left out.
 */
export function ensureOnnxChecker(surroundings) {
  if (hasOnnxChecker()) return 'python3-onnx';
  if (existsSync(failureFile)) return `not there; delete ${relative(root, failureFile)} to try apt-get again`;
  const failure = installByApt('python3-onnx', surroundings);
  if (hasOnnxChecker()) return 'python3-onnx by apt-get';
  const why = (failure ?? 'what apt-get installed does not load').split('\n')[0];
  mkdirSync(dirname(failureFile), { recursive: true });
  writeFileSync(failureFile, `${why}\n`);
  return `not there (${why}): its tests will be left out`;
}

function hasOnnxChecker() {
  return spawnSync('/usr/bin/python3', ['-c', 'import onnx.checker']).status === 0;
}
