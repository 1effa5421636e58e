import '@tensorflow/tfjs-backend-cpu';
import { fuzzImport } from '../test/fuzz-import.ts';

/** `npm run fuzz -- [cases] [seed]`: damaged ONNX files, imported one after the other. */
const [cases = 5_000, seed = 1] = process.argv.slice(2).map(Number);
const { imported, refused, problems, slowestMs } = await fuzzImport({ cases, seed });
console.log(`${cases} files: ${imported} imported, ${refused} refused, the slowest in ${Math.round(slowestMs)} ms`);
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
