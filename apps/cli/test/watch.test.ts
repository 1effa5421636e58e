import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Browser, CHROMIUM, openChromium, openPage, WITH_CHROMIUM } from './chromium.ts';
import { secateur, spawnSecateur } from './run-secateur.ts';
import { writeTinyCifar10 } from './tiny-cifar.ts';

it('refuses to hide the address that it prints', async () => {
  const { code, stderr } = await secateur('run', '--watch', '--quiet');
  expect(code).toBe(2);
  expect(stderr).toBe('error: --watch prints an address, which --quiet would hide: leave one out.\n');
});

describe.skipIf(!CHROMIUM)(`secateur run --watch ${WITH_CHROMIUM}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openChromium();
  });
  afterAll(() => browser?.close());

  it('draws the run while it goes on, and stays when it has ended', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'secateur-watch-'));
    const data = await writeTinyCifar10({ perFile: 20 });
    // So that the run waits for a browser however slow.
    const wait = join(folder, 'wait');
    await writeFile(wait, '');
    const release = () => rm(wait, { force: true });
    const { page, complaints } = await openPage(browser);
    let opened: Promise<unknown> | undefined;
    const settings = ['--preset', 'smoke', '--network', 'vgg11', '--width', '0.125', '--epochs', '12'];
    const outcome = await spawnSecateur(
      ['run', ...settings, '--data', data, '--out', join(folder, 'run'), '--threads', '1', '--watch'],
      {
        preload: [new URL('wait-to-begin.mjs', import.meta.url).href],
        env: { WAIT_WHILE: wait },
        onStderr: (text) => {
          const [url] = /http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]+/.exec(text) ?? [];
          if (url && !opened) opened = follow(page, url).then(release, release);
        },
      },
    );
    // A goal of the preset may be missed on so few images.
    expect([0, 3], outcome.stderr).toContain(outcome.code);
    await page.waitForFunction(() => document.querySelector('.live')?.textContent?.startsWith('The run has ended'));
    const shown = await page.evaluate(() => (globalThis as { shown?: string[] }).shown);
    expect(shown).toContainEqual(expect.stringMatching(/ train: epoch \d+\.\d of 12, loss \d/));
    expect(await page.locator('.state').textContent()).toBe('finished');
    expect(await page.locator('h1').textContent()).toBe('vgg11, width 0.125 on CIFAR-10');
    expect(await page.locator('.cards li').count()).toBe(5);
    expect(await page.locator('#filters svg image').count()).toBe(1);
    // The page itself ends this request when there is no more to come.
    expect(complaints.filter((text) => !/\/events\?token=\S+ failed$/.test(text))).toEqual([]);
  });
});

/** Opens the page and has it keep what it says of the run from now on. */
async function follow(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.waitForFunction(() => document.querySelector('.live')?.textContent === 'live');
  await page.evaluate(() => {
    const shown: string[] = [];
    Object.assign(globalThis, { shown });
    const keep = () => shown.push(document.querySelector('.now')?.textContent ?? '');
    new MutationObserver(keep).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
}
