import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { PageAssets } from './page-html.ts';

/** Makes one script of the page's sources and the libraries that it draws with. */
export async function bundlePage(): Promise<PageAssets> {
  const source = new URL('./page/', import.meta.url);
  const { outputFiles } = await build({
    entryPoints: {
      page: fileURLToPath(new URL('main.ts', source)),
      style: fileURLToPath(new URL('style.css', source)),
    },
    outdir: 'page',
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    target: 'es2022',
    charset: 'utf8',
    legalComments: 'none',
  });
  const text = (name: string) => outputFiles.find(({ path }) => path.endsWith(name))!.text;
  // Inline in HTML, where this would end the script.
  return { script: text('.js').replaceAll('</script', '<\\/script'), style: text('.css') };
}
