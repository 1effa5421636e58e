// Runs tfjs-core's own specs on the torch backend; exit code 1 if any fails that conformance/exclusions.ts does not name.
// An argument runs only the specs whose full names contain it. The environment chooses where: SECATEUR_DEVICE=cuda,
// SECATEUR_KERNELS=portable, or CONFORMANCE_DEVICE=strict for the device of test/strict-device.
import { bundleWithCore } from './bundle.ts';
import { EXCLUSIONS } from './exclusions.ts';
import { quietly } from './quietly.ts';
import type { SpecResult } from './spec-result.ts';
import { GOAL, judge, percent } from './verdict.ts';

type Specs = { runSpecs(filter: string): Promise<SpecResult[]> };

// As in the other tests, which may run beside this one: teams of threads that share cores wait for each other.
process.env.OMP_NUM_THREADS ??= '1';

const filter = process.argv[2] ?? '';
const bundle = await bundleWithCore(new URL('specs.ts', import.meta.url), 'conformance');
const started = performance.now();
const results = await quietly(async () => {
  const { runSpecs } = (await import(bundle.href)) as Specs;
  return runSpecs(filter);
});
const seconds = ((performance.now() - started) / 1000).toFixed(1);

const { passed, excluded, skipped, share, problems } = judge(results, EXCLUSIONS, filter !== '');
for (const problem of problems) console.error(problem);
const where = process.env.CONFORMANCE_DEVICE ?? process.env.SECATEUR_DEVICE ?? 'cpu';
const kernels = process.env.SECATEUR_KERNELS === 'portable' ? ', portable kernels' : '';
console.log(
  `tfjs-core specs on torch (${where}${kernels}): ${passed} passed, ${excluded} excluded, ${skipped} skipped by tfjs-core, ${seconds} s; ` +
    `${percent(share)} of those run pass, goal ${percent(GOAL)}`,
);
// Some specs leave timers and handles behind.
process.exit(problems.length > 0 ? 1 : 0);
