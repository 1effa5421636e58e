import { expect, it } from 'vitest';
import { table } from './table.ts';

it('aligns the first column left and others right, and does not count colours', () => {
  const red = '\x1b[31m12\x1b[39m';
  const text = table(
    [{ title: 'layer' }, { title: 'left' }, { title: 'note', align: 'left' }],
    [
      ['conv1', red, 'a'],
      ['c', '1234567'],
    ],
  );
  expect(text).toBe(`layer     left  note\nconv1       ${red}  a\nc      1234567`);
});

it('leaves out a line of empty titles', () => {
  expect(table([{ title: '' }, { title: '' }], [['a', 'b']])).toBe('a  b');
});
