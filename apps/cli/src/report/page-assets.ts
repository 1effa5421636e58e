import { readFile } from 'node:fs/promises';
import type { PageAssets } from './page-html.ts';

let assets: Promise<PageAssets> | undefined;

/** Script and style of the page: as built, or where the program runs from its sources, made of them on the spot. */
export function pageAssets(): Promise<PageAssets> {
  const fromSource = new URL(import.meta.url).pathname.endsWith('.ts');
  assets ??= fromSource ? import('./bundle-page.ts').then(({ bundlePage }) => bundlePage()) : readBuilt();
  return assets;
}

async function readBuilt(): Promise<PageAssets> {
  const read = (name: string) => readFile(new URL(name, import.meta.url), 'utf8');
  const [script, style] = await Promise.all([read('./page.bundle.js'), read('./page.bundle.css')]);
  return { script, style };
}
