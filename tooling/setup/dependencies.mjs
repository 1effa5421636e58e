import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { environmentWithPnpm } from './pnpm.mjs';
import { root, run } from './shell.mjs';

const stampFile = join(root, 'node_modules', '.secateur-installed');

/** Installs exactly what the lock file says, unless that has been done. */
export function installDependencies({ announce, show }) {
  const stamp = hashOfManifests();
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return 'as locked';
  announce('installing what the lock file says');
  run('pnpm', ['install', '--frozen-lockfile'], { env: { ...environmentWithPnpm(), CI: 'true' }, show });
  writeFileSync(stampFile, stamp);
  return 'installed as locked';
}

function hashOfManifests() {
  const hash = createHash('sha256');
  const members = ['packages', 'apps'].flatMap((group) =>
    readdirSync(join(root, group)).map((name) => join(group, name, 'package.json')),
  );
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json', ...members]) {
    const path = join(root, file);
    if (existsSync(path)) hash.update(file).update(readFileSync(path));
  }
  return hash.digest('hex');
}
