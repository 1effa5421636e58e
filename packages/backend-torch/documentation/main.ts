// Runs the examples in tfjs's documentation on torch and on tfjs-backend-cpu, compares what they print, and times those that train with
// callbacks. Exit code 1 if any differs.
import { bundleWithCore } from '../conformance/bundle.ts';
import { EXCLUSIONS } from './exclusions.ts';
import { runOn } from './on-backend.ts';
import { judge } from './verdict.ts';

const TRAINS_WITH_CALLBACKS = String.raw`\.fit\(.*callbacks`;
const REPEATS = 50;

const bundle = await bundleWithCore(new URL('run.ts', import.meta.url), 'documentation');
const { ran, excluded, problems } = judge(await runOn('cpu', bundle), await runOn('torch', bundle), EXCLUSIONS);
for (const problem of problems) console.error(problem);
console.log(
  `${ran} examples run as on tfjs-backend-cpu, ${excluded} run on no backend in Node, ${problems.length} fail.`,
);

const timed = { repeats: REPEATS, pattern: TRAINS_WITH_CALLBACKS };
const onCpu = await runOn('cpu', bundle, timed);
const onTorch = await runOn('torch', bundle, timed);
onTorch.forEach(({ name, error, milliseconds }, i) => {
  if (error !== undefined) return;
  const times = `torch ${milliseconds.toFixed(1)} ms, tfjs-backend-cpu ${onCpu[i]!.milliseconds.toFixed(1)} ms`;
  console.log(`${name}: ${times} (median of ${REPEATS})`);
});
process.exitCode = problems.length > 0 ? 1 : 0;
