import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { expect, it } from 'vitest';
import { eachEngine } from '../../../test/support/engines.ts';
import { chain, image, modelOf } from '../../../test/support/small-models.ts';
import { randomNumbers } from '../../../test/support/synthetic.ts';
import type { Mode, Operation } from '../operation.ts';
import { compileProgram } from '../program.ts';

type DropoutConfig = Parameters<typeof layers.dropout>[0];

function operationOf(config: DropoutConfig): Operation {
  const program = compileProgram(modelOf(...applied(layers.dropout(config))));
  return program.steps.at(-1)!.operation;
}

function applied(layer: layers.Layer) {
  const input = image(4, 3);
  return [input, chain(input, layer)] as const;
}

/** Output and input gradient of one pass over x with dLoss/dOutput dy. */
function pass(operation: Operation, x: tf.Tensor, dy: tf.Tensor, mode: Mode = 'training'): [number[], number[]] {
  return tf.tidy(() => {
    const { output, backward } = operation.forward([x], mode);
    const { inputs } = backward(dy, { inputs: true, weights: true });
    return [Array.from(output.dataSync()), Array.from(inputs[0]!.dataSync())];
  });
}

eachEngine(() => {
  const x = () => tf.fill([50, 4, 4, 3], 2);

  it('keeps, scales and passes back the same places', () => {
    const operation = operationOf({ rate: 0.2, seed: 1 });
    const dy = randomNumbers(2400, 5);
    const [y, dx] = tf.tidy(() => pass(operation, x(), tf.tensor4d(dy, [50, 4, 4, 3])));
    y.forEach((value, i) => {
      expect(value === 0 || Math.abs(value - 2.5) < 1e-6).toBe(true);
      expect(dx[i]).toBeCloseTo(value === 0 ? 0 : dy[i]! / 0.8, 6);
    });
    const kept = y.filter((value) => value > 0).length / y.length;
    expect(kept).toBeGreaterThan(0.77);
    expect(kept).toBeLessThan(0.83);
    const mean = y.reduce((sum, value) => sum + value, 0) / y.length;
    expect(Math.abs(mean - 2)).toBeLessThan(0.075);
  });

  it('draws a new mask in every pass, and the same ones again from the same seed, 0 included', () => {
    tf.tidy(() => {
      const draw = (operation: Operation) => pass(operation, x(), x())[0];
      const sequence = (config: DropoutConfig) => {
        const operation = operationOf(config);
        return [draw(operation), draw(operation)];
      };
      const zero = sequence({ rate: 0.5, seed: 0 });
      expect(zero[1]).not.toEqual(zero[0]);
      expect(sequence({ rate: 0.5, seed: 0 })).toEqual(zero);
      expect(sequence({ rate: 0.5, seed: 1 })).not.toEqual(zero);
      const named = sequence({ rate: 0.5, name: 'drop' });
      expect(sequence({ rate: 0.5, name: 'drop' })).toEqual(named);
      expect(sequence({ rate: 0.5, name: 'other' })).not.toEqual(named);
    });
  });

  it('changes nothing outside training', () => {
    tf.tidy(() => {
      const values = randomNumbers(2400, 6);
      const [input, dy] = [tf.tensor4d(values, [50, 4, 4, 3]), x()];
      for (const mode of ['inference', 'scoring'] as const) {
        const [y, dx] = pass(operationOf({ rate: 0.5 }), input, dy, mode);
        expect(y).toEqual(Array.from(values));
        expect(dx.every((value) => value === 2)).toBe(true);
      }
    });
  });

  it('shares its mask along the axes where noiseShape is 1, and refuses one that does not fit', () => {
    tf.tidy(() => {
      const config = { rate: 0.5, seed: 3, noiseShape: [50, 1, 1, 3] };
      const [y, dx] = pass(operationOf(config), x(), x());
      expect(new Set(y)).toEqual(new Set([0, 4]));
      expect(dx).toEqual(y);
      y.forEach((value, i) => {
        const [example, channel] = [Math.floor(i / 48), i % 3];
        expect(value).toBe(y[example * 48 + channel]);
      });
      const unfit = operationOf({ rate: 0.5, noiseShape: [50, 2, 1, 3], name: 'unfit' });
      expect(() => unfit.forward([x()], 'training')).toThrow("noiseShape of layer 'unfit'");
    });
  });
});
