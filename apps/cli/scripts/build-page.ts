import { writeFile } from 'node:fs/promises';
import { bundlePage } from '../src/report/bundle-page.ts';

// Part of the build: users of the package have no bundler.
const { script, style } = await bundlePage();
const folder = new URL('../dist/report/', import.meta.url);
await writeFile(new URL('page.bundle.js', folder), script);
await writeFile(new URL('page.bundle.css', folder), style);
