// npm run fuzz -- --cases 10000 --seed 1 [--only conv2d] [--path 12:0:3]
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { check, type Report } from './check.ts';
import { FAMILIES } from './families/index.ts';
import type { Family } from './family.ts';

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '10000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    only: { type: 'string' },
    path: { type: 'string' },
  },
});
const seed = wholeNumber('seed', values.seed);
const chosen = FAMILIES.filter(({ name }) => !values.only || name === values.only);
if (chosen.length === 0) {
  throw new Error(`--only: expected one of ${FAMILIES.map(({ name }) => name).join(', ')}, but got '${values.only}'.`);
}
const cases = Math.ceil(wholeNumber('cases', values.cases) / chosen.length);

let compared = 0;
let refused = 0;
let failed = 0;
for (const family of chosen) {
  const start = performance.now();
  const report = await check(family, { cases, seed, path: values.path });
  compared += report.compared;
  refused += report.refused;
  if (report.failure) failed++;
  console.log(line(family, report, (performance.now() - start) / 1000));
}
console.log(`${compared} cases compared, ${refused} refused by cpu, ${failed} families failed, seed ${seed}`);
process.exitCode = failed > 0 ? 1 : 0;

function line({ name }: Family, { compared, refused, failure }: Report, seconds: number): string {
  const counts = `${name}: ${compared} compared, ${refused} refused, ${seconds.toFixed(1)} s`;
  if (!failure) return counts;
  return [
    `${counts}, FAILED: ${failure.reason}`,
    `  ${fc.stringify(failure.counterexample)}`,
    `  again: npm run fuzz -- --only ${name} --seed ${seed} --path ${failure.path}`,
  ].join('\n');
}

function wholeNumber(option: string, text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0) throw new Error(`--${option}: expected a count, but got '${text}'.`);
  return number;
}
