// Draws a run's before and after: node tooling/result-picture.mjs runs/NAME/summary.json > docs/quickstart/picture.svg
import { readFileSync } from 'node:fs';

const { unpruned, pruned, change, config, seed } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const WIDTH = 860;
const BAR_AREA = { left: 70, top: 150, width: 750, height: 210 };
const COLORS = { text: '#24292f', quiet: '#6e7781', before: '#d0d7de', after: '#1a7f37', page: '#ffffff' };

const escapeXml = (text) =>
  String(text).replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]);
const text = (x, y, content, { size = 13, color = COLORS.text, anchor = 'start', weight = 400 } = {}) =>
  `<text x="${x}" y="${y}" font-size="${size}" fill="${color}" text-anchor="${anchor}" font-weight="${weight}">${escapeXml(content)}</text>`;
const rect = (x, y, width, height, color) =>
  `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="2" fill="${color}"/>`;
const millions = (value) => `${(value / 1e6).toFixed(1)} M`;
const percent = (value) => `${(100 * value).toFixed(1)} %`;

const headlines = [
  ['multiply-accumulates', `${millions(unpruned.macs)} → ${millions(pruned.macs)}`, `−${percent(change.macsRemoved)}`],
  [
    'parameters',
    `${millions(unpruned.parameters)} → ${millions(pruned.parameters)}`,
    `−${percent(change.parametersRemoved)}`,
  ],
  [
    'ONNX file',
    `${millions(unpruned.onnxBytes)}B → ${millions(pruned.onnxBytes)}B`,
    `−${percent(change.fileSizeRemoved)}`,
  ],
  [
    'test accuracy',
    `${percent(unpruned.test.accuracy)} → ${percent(pruned.test.accuracy)}`,
    `${change.testAccuracy >= 0 ? '+' : '−'}${(100 * Math.abs(change.testAccuracy)).toFixed(2)} points`,
  ],
];
const column = (WIDTH - 40) / headlines.length;
const drawn = headlines.flatMap(([name, values, difference], i) => [
  text(20 + i * column, 62, name, { color: COLORS.quiet }),
  text(20 + i * column, 90, difference, { size: 24, weight: 600, color: COLORS.after }),
  text(20 + i * column, 112, values),
]);

const most = Math.max(...unpruned.filters.map(({ filters }) => filters));
const slot = BAR_AREA.width / unpruned.filters.length;
const bottom = BAR_AREA.top + BAR_AREA.height;
const bars = unpruned.filters.flatMap(({ layer, filters }, i) => {
  const left = pruned.filters.find((entry) => entry.layer === layer).filters;
  const x = BAR_AREA.left + i * slot;
  const height = (count) => (BAR_AREA.height - 20) * (count / most);
  return [
    rect(x, bottom - height(filters), slot * 0.38, height(filters), COLORS.before),
    rect(x + slot * 0.4, bottom - height(left), slot * 0.38, height(left), COLORS.after),
    text(x + slot * 0.19, bottom - height(filters) - 4, filters, { size: 10, color: COLORS.quiet, anchor: 'middle' }),
    text(x + slot * 0.59, bottom - height(left) - 4, left, { size: 10, color: COLORS.after, anchor: 'middle' }),
    text(x + slot * 0.39, bottom + 16, layer, { size: 11, color: COLORS.quiet, anchor: 'middle' }),
  ];
});

process.stdout.write(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} 400" font-family="system-ui, sans-serif" role="img" aria-label="Before and after class-aware pruning">
${rect(0, 0, WIDTH, 400, COLORS.page)}
${text(20, 30, `${config.network}, width ${config.width}, CIFAR-10, seed ${seed}: before and after class-aware pruning`, { size: 16, weight: 600 })}
${[...drawn, ...bars].join('\n')}
${text(20, bottom - 60, 'filters', { color: COLORS.quiet, size: 12 })}
${text(20, bottom - 44, 'before', { color: COLORS.quiet, size: 12 })}
${text(20, bottom - 28, 'after', { color: COLORS.after, size: 12 })}
</svg>
`);
