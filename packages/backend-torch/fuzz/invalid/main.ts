// npm run fuzz:invalid -- --calls 20000 --seed 1 [--mode native] [--from 1234]
import { parseArgs } from 'node:util';
import type { Mode } from './child.ts';
import { supervise } from './supervise.ts';

const MODES: readonly Mode[] = ['native', 'kernels', 'tasks', 'workers'];
const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '20000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    mode: { type: 'string' },
    from: { type: 'string', default: '0' },
  },
});
const chosen = MODES.filter((mode) => !values.mode || mode === values.mode);
if (chosen.length === 0) throw new Error(`--mode: expected one of ${MODES.join(', ')}, but got '${values.mode}'.`);
const seed = Number(values.seed);
const calls = Math.ceil(Number(values.calls) / chosen.length);

for (const mode of chosen) {
  const findings = await supervise(mode, { calls, seed, from: Number(values.from) });
  console.log(`${mode}: ${calls} calls, ${findings.length} findings, seed ${seed}`);
  for (const { reason, calls } of findings) {
    process.exitCode = 1;
    console.log(`  ${reason}`);
    for (const call of calls) console.log(`    ${call}`);
    console.log(
      `  again: npm run fuzz:invalid -- --mode ${mode} --seed ${seed} --from ${Number.parseInt(calls[0] ?? '0', 10)} --calls 1`,
    );
  }
}
