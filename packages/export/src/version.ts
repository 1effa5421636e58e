import { createRequire } from 'node:module';

/** This package's version; package.json lies one folder up from src and from dist alike. */
export const { version } = createRequire(import.meta.url)('../package.json') as { version: string };
