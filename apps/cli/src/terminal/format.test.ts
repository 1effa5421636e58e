import { describe, expect, it } from 'vitest';
import { bar, bytes, change, count, duration, percent, points, signed, sparkline, wallTime, whole } from './format.ts';

describe('numbers for people', () => {
  it.each([
    [whole(1234567), '1,234,567'],
    [count(78_631_424), '78.6 M'],
    [count(999), '999'],
    [count(999_600), '1.00 M'],
    [count(2.5e9), '2.50 G'],
    [bytes(15_300_000), '15.3 MB'],
    [bytes(512), '512 B'],
    [percent(0.5532), '55.3 %'],
    [percent(0.5, 0), '50 %'],
    [signed(-0.04), '0.0'],
    [signed(2), '+2.0'],
    [points(-0.0051), '-0.51 points'],
    [change(200, 50), '-75.0 %'],
    [duration(62), '1:02'],
    [duration(59.6), '1:00'],
    [duration(3723), '1:02:03'],
    [duration(-3), '0:00'],
    [wallTime(200), '3:20 min'],
    [wallTime(8000), '2:13:20 h'],
  ])('%s', (actual, expected) => {
    expect(actual).toBe(expected);
  });

  it('draws values against the largest, and nothing for zero', () => {
    expect(sparkline([0, 1, 4, 8])).toBe(' ▁▄█');
    expect(sparkline([0, 0])).toBe('  ');
  });

  it('never draws a bar longer than its width', () => {
    expect([bar(0.5, 4), bar(2, 4), bar(-1, 4)]).toEqual(['━━──', '━━━━', '────']);
  });
});
