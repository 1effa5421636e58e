import { join } from 'node:path';
import { writeOutput } from '../run/files.ts';
import { VERSION } from '../version.ts';
import { pageAssets } from './page-assets.ts';
import { pageHtml } from './page-html.ts';
import { readRun } from './read-run.ts';
import type { RunReport } from './run-report.ts';

/** One page about one run, or about several next to each other. */
export async function reportHtml(runs: readonly RunReport[]): Promise<string> {
  return pageHtml({ version: VERSION, runs }, await pageAssets());
}

/**
 * Reads run directories, finished or not, and writes a page about them.
 *
 * @param options.out Default: report.html in the folder of the run; of several runs, where the program runs.
 * @returns Where the page is.
 * @throws Error when a folder holds no run, a file of it is damaged, or the page cannot be written.
 */
export async function writeReport(
  paths: readonly string[],
  { out }: { out?: string | undefined } = {},
): Promise<string> {
  const runs = await Promise.all(paths.map(readRun));
  const file = out ?? join(paths.length === 1 ? paths[0]! : '.', 'report.html');
  await writeOutput(file, await reportHtml(runs));
  return file;
}
