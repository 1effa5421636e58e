// What tfjs-core's specs expect around a backend: every gradient, every chained op, and one test environment.
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js';
import '@tensorflow/tfjs-backend-cpu';
import '../src/index.ts';
import { setTestEnvs } from '@tensorflow/tfjs-core/dist/jasmine_util.js';

setTestEnvs([{ name: 'torch', backendName: 'torch', flags: {}, isDataSync: true }]);
