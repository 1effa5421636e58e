import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { secateur } from '../../../test/run-secateur.ts';
import { NASTY, writeSampleRun } from '../../../test/sample-run.ts';
import { THEMES } from '../page/theme.ts';
import { readRun } from '../read-run.ts';
import { STATIC_PLOTS, staticPlot } from './static-plots.ts';

const QUICKSTART = fileURLToPath(new URL('../../../../../docs/quickstart', import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'secateur-plots-'));
});

describe('plots for READMEs', () => {
  it.each(STATIC_PLOTS)('%s is an SVG that shows names as they are, and can be drawn', async (name) => {
    const run = await readRun(await writeSampleRun(join(folder, name)));
    const svg = staticPlot(name, run, THEMES.light)!;
    expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    expect(svg).not.toMatch(/<script|<img|NaN|undefined/);
    if (name === 'classes') expect(svg).toContain(NASTY[0]!);
    // librsvg refuses what is no XML.
    const { data, info } = await sharp(Buffer.from(svg)).raw().toBuffer({ resolveWithObject: true });
    expect(info.width).toBe(860);
    expect(new Set(data).size).toBeGreaterThan(20);
  });

  it('draws bars as long as layers are wide', async () => {
    const run = await readRun(await writeSampleRun(join(folder, 'bars')));
    const widths = [...staticPlot('filters', run, THEMES.light)!.matchAll(/<rect [^>]*width="([\d.]+)" x=/g)].map(
      ([, width]) => Number(width),
    );
    const unit = widths[0]! / 4;
    expect(widths.map((width) => Math.round((100 * width) / unit) / 100)).toEqual([4, 6, 3, 4]);
  });

  it('has none for what has not happened yet', async () => {
    const run = await readRun(await writeSampleRun(join(folder, 'early'), { until: 'training' }));
    expect(STATIC_PLOTS.filter((name) => staticPlot(name, run, THEMES.dark))).toEqual(['training']);
  });

  it('the picture of the README is the one that its command draws', async () => {
    const command = ['report', QUICKSTART, '--svg', folder, '--plots', 'overview'];
    expect((await secateur(...command)).code).toBe(0);
    for (const file of ['overview.svg', 'overview-dark.svg']) {
      expect(await readFile(join(folder, file), 'utf8')).toBe(await readFile(join(QUICKSTART, file), 'utf8'));
    }
  });
});

describe('secateur report', () => {
  it('writes PNG files of twice the size, and an event file', async () => {
    const [run, out] = [await writeSampleRun(join(folder, 'files')), join(folder, 'out')];
    const { code, stdout } = await secateur(
      'report',
      run,
      '--png',
      out,
      '--plots',
      'pareto',
      '--tensorboard',
      out,
      '--json',
    );
    expect(code).toBe(0);
    const files = ['events.out.tfevents.1767323045.secateur', 'pareto.png'];
    expect((await readdir(out)).sort()).toEqual(files);
    expect(JSON.parse(stdout).files.sort()).toEqual(files.map((file) => join(out, file)));
    expect((await sharp(join(out, 'pareto.png')).metadata()).width).toBe(1720);
  });

  it.each([
    [['--plots', 'overvew', '--svg', 'x'], /Did you mean 'overview'\? Choose from: overview, pareto/, 2],
    [['--svg', 'x', '--out', 'y'], /^error: --svg, --png and --tensorboard write files in place of the page/, 2],
    [[tmpdir(), '--svg', 'x'], /^error: --svg, --png and --tensorboard write files of one run, but there are 2/, 2],
    [['no/such/run'], /^error: Expected 'no\/such\/run' to be the folder of a run.* Make one with: secateur run/, 1],
  ])('refuses %j', async (args, message, expected) => {
    const { code, stderr } = await secateur('report', QUICKSTART, ...args);
    expect(stderr.trim()).toMatch(message);
    expect(code).toBe(expected);
  });
});
