import { type LayersModel, layers, sequential } from '@tensorflow/tfjs-layers';
import { InferenceSession } from 'onnxruntime-node';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { exportOnnx, measureLatency, verify } from '../src/index.ts';
import { randomImages } from './oracle.ts';

let open = 0;

beforeEach(() => {
  const create = InferenceSession.create.bind(InferenceSession) as (bytes: Uint8Array) => Promise<InferenceSession>;
  vi.spyOn(InferenceSession, 'create').mockImplementation(async (bytes: unknown) => {
    const session = await create(bytes as Uint8Array);
    open++;
    const release = session.release.bind(session);
    session.release = async () => {
      await release();
      open--;
    };
    return session;
  });
});
afterEach(() => vi.restoreAllMocks());

function linear(units: number): LayersModel {
  return sequential({ layers: [layers.dense({ inputShape: [2], units })] });
}

it('releases every session, also when the work fails', async () => {
  const model = linear(3);
  const bytes = await exportOnnx(model);
  const { data: images, shape } = randomImages(model, 2);

  await verify(model, bytes, { images, shape });
  await measureLatency([bytes, bytes], { runs: 1 });
  await expect(verify(linear(4), bytes, { images, shape })).rejects.toThrow('export of another model');
  await expect(measureLatency([bytes, new Uint8Array()])).rejects.toThrow('expected an ONNX model');
  expect(InferenceSession.create).toHaveBeenCalledTimes(5);
  expect(open).toBe(0);
});
