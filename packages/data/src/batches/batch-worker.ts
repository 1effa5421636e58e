import { parentPort, workerData } from 'node:worker_threads';
import { batchComposer, epochOrder, type Recipe } from './compose.ts';
import { buffersOf, type FilledSlot, type Slot, type ToWorker } from './messages.ts';

/** Batches that are prepared ahead: enough to ride out a pause of this thread, few enough to stay in cache. */
const SLOTS = 4;

interface Run {
  readonly number: number;
  readonly epoch: number;
  readonly order: Uint32Array;
  next: number;
}

const recipe = workerData as Recipe;
const port = parentPort!;
const fill = batchComposer(recipe);
const [height, width, channels] = recipe.shape;
const free: Slot[] = Array.from({ length: SLOTS }, () => ({
  images: new Float32Array(recipe.batchSize * height * width * channels),
  labels: new Int32Array(recipe.batchSize),
}));
let run: Run | undefined;
let scheduled = false;

port.on('message', (message: ToWorker) => {
  switch (message.kind) {
    case 'start':
      run = {
        number: message.run,
        epoch: message.epoch,
        order: epochOrder(recipe, message.epoch),
        next: message.firstBatch * recipe.batchSize,
      };
      break;
    case 'stop':
      run = undefined;
      break;
    case 'recycle':
      free.push(message.slot);
      break;
    default:
      message satisfies never;
  }
  schedule();
});

/** One batch a turn of the event loop, so that a stop or a new start is heard in between. */
function schedule(): void {
  if (scheduled) return;
  scheduled = true;
  setImmediate(() => {
    scheduled = false;
    if (prepareOne()) schedule();
  });
}

function prepareOne(): boolean {
  if (run === undefined || run.next >= run.order.length) return false;
  const slot = free.pop();
  if (slot === undefined) return false;
  const indices = run.order.subarray(run.next, run.next + recipe.batchSize);
  fill(indices, run.epoch, slot);
  run.next += indices.length;
  const filled: FilledSlot = { run: run.number, count: indices.length, slot };
  port.postMessage(filled, buffersOf(slot));
  return true;
}
