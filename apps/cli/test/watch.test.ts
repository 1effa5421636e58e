import { mkdtemp } from 'node:fs/promises';
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
    const { page, complaints } = await openPage(browser);
    let opened: Promise<string | null> | undefined;
    const settings = ['--preset', 'smoke', '--network', 'vgg11', '--width', '0.125', '--epochs', '30'];
    const outcome = await spawnSecateur(
      ['run', ...settings, '--data', data, '--out', join(folder, 'run'), '--threads', '1', '--watch'],
      {
        onStderr: (text) => {
          const [url] = /http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]+/.exec(text) ?? [];
          if (url && !opened) opened = lookAt(page, url).catch(String);
        },
      },
    );
    // A goal of the preset may be missed on so few images.
    expect([0, 3], outcome.stderr).toContain(outcome.code);
    // It was seen while it trained.
    expect(await opened).toMatch(/ train: epoch \d+\.\d of 30, loss \d/);
    await page.waitForFunction(() => document.querySelector('.live')?.textContent?.startsWith('The run has ended'));
    expect(await page.locator('.state').textContent()).toBe('finished');
    expect(await page.locator('h1').textContent()).toBe('vgg11, width 0.125 on CIFAR-10');
    expect(await page.locator('.cards li').count()).toBe(5);
    expect(await page.locator('#filters svg image').count()).toBe(1);
    // The page itself ends this request when there is no more to come.
    expect(complaints.filter((text) => !/\/events\?token=\S+ failed$/.test(text))).toEqual([]);
  });
});

/** @returns What the page says of a run that has begun to train. */
async function lookAt(page: Page, url: string): Promise<string | null> {
  await page.goto(url);
  await page.waitForSelector('#training svg');
  return page.locator('.now').textContent();
}
