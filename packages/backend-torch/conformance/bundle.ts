// Bundles a program with tfjs-core's sources and the backend into one module.
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/**
 * Node cannot load tfjs-core's specs and chained ops as they are: ESM syntax in files that their package.json calls CommonJS, and they
 * need to share one tfjs-core with the backend.
 *
 * @returns the bundle's URL. It lies directly under the package, from where the backend finds its addon.
 */
export async function bundleWithCore(entry: URL, name: string): Promise<URL> {
  const outfile = new URL(`../.cache/${name}.mjs`, import.meta.url);
  await build({
    entryPoints: [fileURLToPath(entry)],
    outfile: fileURLToPath(outfile),
    bundle: true,
    platform: 'node',
    format: 'esm',
    mainFields: ['module', 'main'],
    external: ['jasmine-core'],
    // tfjs-core's package.json calls the specs free of side effects; they would all be dropped.
    ignoreAnnotations: true,
    banner: {
      js: `import { createRequire as requireFrom } from 'node:module';\nconst require = requireFrom(import.meta.url);`,
    },
    logLevel: 'error',
  });
  return outfile;
}
