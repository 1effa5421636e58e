// What tfjs-core's specs expect around a backend: every gradient, every chained op, and one test environment.
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js';
import '@tensorflow/tfjs-backend-cpu';
import '../src/index.ts';
import { setTestEnvs } from '@tensorflow/tfjs-core/dist/jasmine_util.js';
import { loadBinding } from '../src/binding.ts';
import { chooseStrictDevice, loadStrictDevice } from '../test/strict-device/strict-device.ts';

// Touching its memory ends the process, and mixing devices is an error; see test/strict-device.
if (process.env.CONFORMANCE_DEVICE === 'strict') {
  loadStrictDevice();
  chooseStrictDevice(loadBinding());
}

setTestEnvs([{ name: 'torch', backendName: 'torch', flags: {}, isDataSync: true }]);
