// Preloaded into a run: it does not begin, with all that comes before done, as long as the file WAIT_WHILE is there.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { basename } from 'node:path';
import { setTimeout } from 'node:timers/promises';

const { mkdir } = fs.promises;
fs.promises.mkdir = async (path, ...rest) => {
  while (basename(String(path)) === 'checkpoints' && fs.existsSync(process.env.WAIT_WHILE)) await setTimeout(20);
  return mkdir(path, ...rest);
};
syncBuiltinESMExports();
