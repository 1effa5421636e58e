import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { inlineJson, pageHtml } from './page-html.ts';

const ASSETS = { script: 'let a = 1 < 2;', style: 'p{color:red}' };

it('lets no text end the script that holds it', () => {
  const text = '</script><!--<script>';
  expect(inlineJson({ text })).not.toContain('<');
  expect(JSON.parse(inlineJson({ text }))).toEqual({ text });
});

it('allows its own script alone, and no network', () => {
  const html = pageHtml({ version: '1', runs: [] }, ASSETS);
  const hash = createHash('sha256').update(ASSETS.script).digest('base64');
  expect(html).toContain(`script-src 'sha256-${hash}';`);
  expect(html).toContain("connect-src 'none'");
  expect(html).toContain(`<script>${ASSETS.script}</script>`);
  expect(html).not.toMatch(/(src|href)="(?!data:|#)/);
});
