import { mkdtemp, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Browser, CHROMIUM, openChromium, openPage, WITH_CHROMIUM } from './chromium.ts';
import { secateur } from './run-secateur.ts';
import { NASTY, writeSampleRun } from './sample-run.ts';

describe.skipIf(!CHROMIUM)(`the report ${WITH_CHROMIUM}`, () => {
  let folder: string;
  let browser: Browser;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'secateur-page-'));
    browser = await openChromium();
  });
  afterAll(() => browser?.close());

  async function show(file: string, { width = 1200, colorScheme = 'light' as 'light' | 'dark' } = {}) {
    const opened = await openPage(browser);
    await opened.page.emulateMedia({ colorScheme });
    await opened.page.setViewportSize({ width, height: 900 });
    await opened.page.goto(pathToFileURL(file).href);
    await opened.page.waitForSelector('figure svg');
    return opened;
  }

  async function report(...runs: string[]): Promise<string> {
    const out = join(folder, `${runs.length}.html`);
    const { code, stdout, stderr } = await secateur('report', ...runs, '--out', out, '--json');
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ report: out });
    return out;
  }

  it('shows the numbers of the run, and no class name does harm', async () => {
    const file = await report(await writeSampleRun(join(folder, 'nasty')));
    const { page, complaints } = await show(file);
    expect(await page.title()).toBe('vgg16, width 0.5 on tiny · secateur');
    expect(await page.locator('.story').textContent()).toContain('40.0 % of the multiply-accumulates are gone');
    expect(await page.locator('.cards strong').allInnerTexts()).toEqual([
      '−3.33 points',
      '−40.0 %',
      '−37.5 %',
      '−25.0 %',
      '2.00 × as fast',
    ]);
    expect(await page.locator('.missed').textContent()).toBe('✗ missed');
    for (const title of ['Accuracy over MACs', 'Filters left in each layer', 'Before pruning', 'Loss']) {
      await page.locator('figure', { hasText: title }).locator('svg').first().waitFor();
    }
    expect(await page.locator('#classes svg').textContent()).toContain(NASTY[1]!.slice(-6));
    expect(await page.locator('#settings').textContent()).toContain('secateur run --preset smoke');
    expect(await page.evaluate(() => (globalThis as { harmed?: number }).harmed)).toBeUndefined();
    expect(complaints).toEqual([]);
    expect((await stat(file)).size).toBeLessThan(500_000);
  });

  it('shows cells of the heat map to pointer and keyboard, another layer on demand, and tables', async () => {
    const { page, complaints } = await show(await report(await writeSampleRun(join(folder, 'keys'))));
    const heat = page.locator('#filters figure');
    await heat.getByLabel('Layer').selectOption('conv1');
    await heat.getByLabel('Order').selectOption('network');
    const canvas = heat.locator('.canvas');
    await canvas.focus();
    await page.keyboard.press('ArrowRight');
    expect(await heat.locator('.said').textContent()).toBe('filter 0, cat: 0, score 0 of 3, removed');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('End');
    expect(await heat.locator('.said').textContent()).toBe(`filter 3, ${NASTY[2]}: 3.0, score 3 of 3`);
    await expect.poll(() => heat.locator('svg [aria-label="tip"]').textContent()).toContain('score 3 of 3');
    await heat.getByLabel('Iteration').selectOption('2');
    expect(await heat.locator('figcaption').textContent()).toContain('No filter of this layer was removed');

    const layers = page.locator('#layers figure');
    const bar = layers.locator('svg [aria-label="bar"]').last().locator('path, rect').last();
    await bar.hover();
    await expect
      .poll(() => layers.locator('svg [aria-label="tip"]').textContent())
      .toContain('conv2: 4 of 6 filters left (67 %)');
    await layers.getByText('As a table').click();
    // The browser says that a table was opened (and the page fills it) in a task of its own.
    await expect
      .poll(() => layers.locator('tbody tr').allInnerTexts())
      .toEqual(['conv1\t4\t3\t75 %', 'conv2\t6\t4\t67 %']);

    const scores = page.locator('#scores figure');
    await scores.getByLabel('Show').selectOption('conv2, all iterations');
    expect(await scores.locator('svg').textContent()).toContain('iteration 2 · 4 filters');
    expect(complaints).toEqual([]);
  });

  it('follows the light or dark of the system, and the button', async () => {
    const { page, complaints } = await show(await report(await writeSampleRun(join(folder, 'dark'))), {
      colorScheme: 'dark',
    });
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const ink = () => page.locator('#layers svg').getAttribute('color');
    expect([await background(), await ink()]).toEqual(['rgb(13, 17, 23)', '#e8edf2']);
    await page.getByRole('button', { name: 'Theme' }).click();
    expect([await background(), await ink()]).toEqual(['rgb(246, 248, 250)', '#1f2328']);
    expect(complaints).toEqual([]);
  });

  it('fits a telephone', async () => {
    const { page } = await show(await report(await writeSampleRun(join(folder, 'narrow'))), { width: 360 });
    await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  });

  it('gives every text enough contrast, and every figure, select and table a name', async () => {
    const file = await report(await writeSampleRun(join(folder, 'contrast')));
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page } = await show(file, { colorScheme });
      const least = await page.evaluate(() => {
        const numbers = (colour: string) =>
          colour
            .match(/[\d.]+/g)!
            .slice(0, 3)
            .map(Number);
        const light = (colour: string) => {
          const [r, g, b] = numbers(colour).map((v) =>
            v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4,
          );
          return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
        };
        const backgroundOf = (element: Element): string => {
          for (let at: Element | null = element; at; at = at.parentElement) {
            const { backgroundColor } = getComputedStyle(at);
            if (!backgroundColor.endsWith(', 0)')) return backgroundColor;
          }
          return 'rgb(255, 255, 255)';
        };
        // The texts in cells of a confusion matrix lie on the colours of the cells.
        const texts = [...document.querySelectorAll('#report *')].filter(
          (element) =>
            [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent!.trim() !== '') &&
            element.checkVisibility() &&
            !element.closest('#confusion svg, style, title, [aria-label="tip"]'),
        );
        const ratios = texts.map((element) => {
          const style = getComputedStyle(element);
          const [a, b] = [
            light(element instanceof SVGElement ? style.fill : style.color),
            light(backgroundOf(element)),
          ];
          return { ratio: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), text: element.textContent };
        });
        return ratios.sort((a, b) => a.ratio - b.ratio)[0]!;
      });
      expect(least.ratio, `${colorScheme}: ${least.text}`).toBeGreaterThanOrEqual(4.5);
      for (const selector of ['.canvas', '.table', 'svg[role="img"]']) {
        const names = await page
          .locator(selector)
          .evaluateAll((all) => all.map((one) => one.getAttribute('aria-label')));
        expect(names.every(Boolean), selector).toBe(true);
      }
      await page.close();
    }
  });

  it('compares runs: results, classes and settings that differ', async () => {
    const runs = [await writeSampleRun(join(folder, 'one')), await writeSampleRun(join(folder, 'two'), { seed: 8 })];
    const { page, complaints } = await show(await report(...runs));
    expect(await page.locator('#comparison h2').textContent()).toBe('2 runs compared');
    expect(await page.locator('#comparison tbody th').allInnerTexts()).toEqual(['one', 'two', ...NASTY, 'config.seed']);
    const legend = page.locator('#comparison .legend .mark').first();
    const colour = () => legend.evaluate((mark) => mark.style.getPropertyValue('--colour'));
    expect(await colour()).toBe('#0a63c9');
    for (let press = 0; press < 2; press++) await page.getByRole('button', { name: 'Theme' }).click();
    expect(await colour()).toBe('#6cb0ff');
    await page.locator('.pick select').selectOption('two');
    expect(await page.locator('#settings dl').textContent()).toContain('two');
    expect(complaints).toEqual([]);
  });

  it('shows a run that is still training', async () => {
    const { page, complaints } = await show(
      await report(await writeSampleRun(join(folder, 'early'), { until: 'training' })),
    );
    expect(await page.locator('.story').textContent()).toContain('The network is being trained.');
    // 6 s after the start the last epoch has said that 40 s are left.
    expect(await page.locator('.now').textContent()).toBe(
      '0:06 since the start, about 0:40 left; train: epoch 1.8 of 2, loss 2.25',
    );
    expect(await page.locator('nav a').allInnerTexts()).toEqual(['Result', 'Training', 'Settings']);
    expect(complaints).toEqual([]);
  });
});
