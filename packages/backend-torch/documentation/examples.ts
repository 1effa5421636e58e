// The examples in the documentation of tfjs-core and tfjs-layers, read from the installed packages.
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

export interface Example {
  /** The file that documents it, and its number in there. */
  readonly name: string;
  readonly code: string;
}

const { resolve } = createRequire(import.meta.url);

/** Every ```js block of the doc comments. */
export function readExamples(): Example[] {
  return ['tfjs-core', 'tfjs-layers'].flatMap((library) => {
    const folder = join(dirname(resolve(`@tensorflow/${library}/package.json`)), 'dist');
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.d.ts'))
      .sort()
      .flatMap((path) =>
        blocksOf(readFileSync(join(folder, path), 'utf8')).map((code, i) => ({
          name: `${library}/${path.replace(/\.d\.ts$/, '')} ${i + 1}`,
          code,
        })),
      );
  });
}

/** The code of each ```js block in a declaration file's doc comments, without the comments' margin. */
export function blocksOf(declarations: string): string[] {
  return [...declarations.matchAll(/\/\*\*.*?\*\//gs)].flatMap(([comment]) => {
    const text = comment.replace(/^[ \t]*\*(?: |$)/gm, '');
    return [...text.matchAll(/^[ \t]*```js[ \t]*\n(.*?)```/gms)].map((block) => block[1]!);
  });
}
