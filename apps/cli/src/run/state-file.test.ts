import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeState, encodeState, STATE_FORMAT } from './state-file.ts';

const bytesOf = (value: unknown) => new Uint8Array(Buffer.concat(encodeState(value)));

it('gives back what was written, to the bit', () => {
  const float = fc.float({ noDefaultInfinity: false });
  const array = fc.float32Array({ maxLength: 20 });
  const data = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.double(),
      float,
      fc.string(),
      fc.boolean(),
      fc.constant(null),
      array,
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(
        fc.string({ minLength: 1 }).filter((key) => !key.startsWith('$') && key !== '__proto__'),
        tie('value'),
        {
          maxKeys: 4,
          noNullPrototype: true,
        },
      ),
    ),
  })).value;
  fc.assert(
    fc.property(data, (value) => {
      expect(decodeState(bytesOf(value))).toStrictEqual(value);
    }),
    { seed: 1 },
  );
});

it('is laid out as documented', () => {
  const file = Buffer.from(bytesOf({ step: 3, weights: Float32Array.of(1, -2) }));
  expect(file.toString('latin1', 0, 8)).toBe('secateur');
  expect(file.readUInt32LE(8)).toBe(STATE_FORMAT);
  const json = file.toString('utf8', 48, 48 + file.readUInt32LE(12));
  expect(JSON.parse(json)).toEqual({ step: 3, weights: { $float32: [0, 2] } });
  expect([file.readFloatLE(file.length - 8), file.readFloatLE(file.length - 4)]).toEqual([1, -2]);
});

it('notices every single flipped bit and every place where it was cut', () => {
  const whole = bytesOf({ step: 3, weights: Float32Array.of(1, 2) });
  for (let bit = 0; bit < 8 * whole.length; bit++) {
    const flipped = whole.slice();
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    expect(() => decodeState(flipped), `bit ${bit}`).toThrow(/is no checkpoint|has format|is damaged/);
  }
  for (let length = 0; length < whole.length; length++) {
    expect(() => decodeState(whole.subarray(0, length)), `${length} bytes`).toThrow(/is cut short|is damaged/);
  }
  expect(() => decodeState(new Uint8Array([...whole, 0]))).toThrow(/is damaged/);
});

it('names the format of another version', () => {
  const other = Buffer.from(bytesOf({}));
  other.writeUInt32LE(7, 8);
  expect(() => decodeState(other)).toThrow(`has format 7, but this version of secateur reads format ${STATE_FORMAT}`);
});

it('takes no other arrays', () => {
  expect(() => encodeState({ plan: Int32Array.of(1) })).toThrow('Int32Array');
});
