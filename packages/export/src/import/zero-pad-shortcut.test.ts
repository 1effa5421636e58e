import '@tensorflow/tfjs-backend-cpu';
import { expect, it } from 'vitest';
import { integers, onnxFile } from '../../test/onnx-files.ts';
import { importOnnx } from '../index.ts';

it('is asked for by the nodes, or the output, that need it, until a package has registered it', async () => {
  const bytes = onnxFile({
    nodes: [
      { op: 'Pad', inputs: ['x', 'pads'], outputs: ['wide'] },
      { op: 'Relu', inputs: ['wide'], outputs: ['positive'] },
      { op: 'Pad', inputs: ['positive', 'pads'], outputs: ['y'] },
    ],
    tensors: { pads: integers(0, 2, 0, 0, 0, 1, 0, 0) },
  });
  await expect(importOnnx(bytes)).rejects.toThrow(
    /^The ONNX model cannot be imported: Expected the layer class 'ZeroPadShortcut', which .*; '[^']*', 'y' cannot do without\. Install '@secateur\/core' and import it first/,
  );
  await import('@secateur/core');
  const { model } = await importOnnx(bytes);
  expect(model.layers.map((layer) => layer.getClassName())).toEqual([
    'InputLayer',
    'ZeroPadShortcut',
    'Activation',
    'ZeroPadShortcut',
  ]);
  expect(model.outputs[0]!.shape.at(-1)).toBe(3 + model.inputs[0]!.shape.at(-1)! + 3);
  model.dispose();
});
