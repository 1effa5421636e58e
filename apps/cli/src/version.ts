import { readFileSync } from 'node:fs';

// The package folder is one level up from src and from dist.
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

export const VERSION = version;
