// Runs turbo with the pinned pnpm on PATH.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { environmentWithPnpm } from './setup/pnpm.mjs';
import { root } from './setup/shell.mjs';

const { status, error } = spawnSync(join(root, 'node_modules/.bin/turbo'), process.argv.slice(2), {
  cwd: root,
  stdio: 'inherit',
  env: { ...environmentWithPnpm(), TURBO_TELEMETRY_DISABLED: '1', TURBO_NO_UPDATE_NOTIFIER: '1' },
});
if (error) console.error(`Could not run turbo: ${error.message}. Run "npm run setup" first.`);
process.exit(status ?? 1);
