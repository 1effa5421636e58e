import { createHash } from 'node:crypto';
import type { PageData } from './run-report.ts';

export interface PageAssets {
  readonly script: string;
  readonly style: string;
}

/**
 * A page of one file that asks no network for anything.
 *
 * Its policy allows this very script and no other, so that no text of a run could ever run as one.
 *
 * @param options.events Where a page that is served gets its updates from.
 */
export function pageHtml(data: PageData, { script, style }: PageAssets, { events }: { events?: string } = {}): string {
  const policy = [
    "default-src 'none'",
    `script-src 'sha256-${createHash('sha256').update(script).digest('base64')}'`,
    "style-src 'unsafe-inline'",
    'img-src data:',
    `connect-src ${events === undefined ? "'none'" : "'self'"}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return `<!doctype html>
<html lang="en">
<!-- Drawn with Observable Plot (ISC licence, (c) Observable, Inc.) and D3 (ISC licence, (c) Mike Bostock). -->
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>secateur</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body${events === undefined ? '' : ` data-events="${events}"`}>
<a class="skip" href="#main">Skip to the result</a>
<div id="report"><noscript>This report needs JavaScript. The same numbers are in summary.json of the run.</noscript></div>
<script type="application/json" id="report-data">${inlineJson(data)}</script>
<script>${script}</script>
</body>
</html>
`;
}

/** JSON in which no text can end the script element that it is in. */
export function inlineJson(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c');
}
