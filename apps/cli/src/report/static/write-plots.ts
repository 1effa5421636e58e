import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeOutput } from '../../run/files.ts';
import { THEMES } from '../page/theme.ts';
import type { RunReport } from '../run-report.ts';
import { type StaticPlot, staticPlot } from './static-plots.ts';

/** Pixels of a PNG for each unit of the SVG: sharp on screens of high density too. */
const DENSITY = 2;

/**
 * Writes plots of a run as files for a README: NAME.svg and NAME-dark.svg, or NAME.png.
 *
 * @returns The files; plots for which the run has not got far enough are left out.
 * @throws Error naming a file that cannot be written.
 */
export async function writePlots(
  run: RunReport,
  { plots, folder, format }: { plots: readonly StaticPlot[]; folder: string; format: 'svg' | 'png' },
): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const files: string[] = [];
  for (const name of plots) {
    const themes = format === 'svg' ? (['light', 'dark'] as const) : (['light'] as const);
    for (const theme of themes) {
      const svg = staticPlot(name, run, THEMES[theme]);
      if (svg === undefined) continue;
      const file = join(folder, `${name}${theme === 'dark' ? '-dark' : ''}.${format}`);
      await writeOutput(file, format === 'svg' ? svg : await toPng(svg));
      files.push(file);
    }
  }
  return files;
}

async function toPng(svg: string): Promise<Buffer> {
  const { default: sharp } = await import('sharp');
  return sharp(Buffer.from(svg), { density: 72 * DENSITY })
    .png()
    .toBuffer();
}
