import { expect, it } from 'vitest';
import { compareWithRuntime } from './reported-outputs.ts';

const values = new Map([
  ['x', { type: 'float32', dims: ['batch', 3] }],
  ['y', { type: 'float32', dims: ['batch', 10] }],
]);
const port = (name: string, type: 'float32' | 'int64', shape: readonly (number | string)[]) => ({
  name,
  isTensor: true as const,
  type,
  shape,
});

it('is content where both say the same, whatever the batch is called', () => {
  const session = {
    inputMetadata: [port('x', 'float32', ['batch', 3])],
    outputMetadata: [port('y', 'float32', ['N', 10])],
  };
  expect(compareWithRuntime(values, session)).toEqual([]);
});

it.each([
  [port('y', 'float32', ['batch', 9]), "'y' is float32 [batch, 9], but it is float32 [batch, 10]"],
  [port('y', 'int64', ['batch', 10]), "'y' is int64 [batch, 10], but it is float32 [batch, 10]"],
  [port('y', 'float32', ['batch', 10, 1]), "'y' is float32 [batch, 10, 1], but it is float32 [batch, 10]"],
  [port('z', 'float32', ['batch', 10]), "a value 'z' that is no tensor of the graph"],
])('names what differs %#', (output, message) => {
  const [difference] = compareWithRuntime(values, { inputMetadata: [], outputMetadata: [output] });
  expect(difference).toContain(message);
});
