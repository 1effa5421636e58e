import { describe, expect, it } from 'vitest';
import type { SpecResult } from '../conformance/spec-result.ts';
import { judge, percent } from '../conformance/verdict.ts';

const spec = (name: string, status: SpecResult['status'], ...messages: string[]): SpecResult => ({
  name,
  status,
  messages,
});
const many = (count: number) => Array.from({ length: count }, (_, i) => spec(`good ${i}`, 'passed'));

describe('a conformance run', () => {
  it('conforms when all that fails is excluded', () => {
    const results = [...many(400), spec('odd', 'failed', 'why'), spec('browser', 'skipped')];
    expect(judge(results, [{ spec: 'odd', reason: 'known' }], false)).toEqual({
      passed: 400,
      excluded: 1,
      skipped: 1,
      share: 400 / 401,
      problems: [],
    });
    expect(judge(results, [{ spec: /^od/, reason: 'known' }], false).problems).toEqual([]);
  });

  it('fails for a spec that fails unnamed, with its name and messages', () => {
    const results = [...many(400), spec('odd', 'failed', 'Expected 1 to be 2.', 'and more')];
    expect(judge(results, [], false).problems).toEqual(['odd\n    Expected 1 to be 2.\n    and more']);
  });

  it('fails for an excluded spec that passes', () => {
    const { problems } = judge(many(400), [{ spec: /^good 39[89]$/, reason: 'known' }], false);
    expect(problems).toEqual([
      'good 398\n    passes again: remove its exclusion',
      'good 399\n    passes again: remove its exclusion',
    ]);
  });

  it('fails for an exclusion without a spec, unless only some specs ran', () => {
    const gone = [{ spec: 'renamed', reason: 'known' }];
    expect(judge(many(400), gone, false).problems).toEqual([
      'renamed\n    no spec has this name: remove the exclusion (known)',
    ]);
    expect(judge(many(400), gone, true).problems).toEqual([]);
  });

  it('fails below the goal, and when nothing ran', () => {
    const odd = [0, 1, 2].map((i) => spec(`odd ${i}`, 'failed'));
    const { problems } = judge([...many(400), ...odd], [{ spec: /^odd/, reason: 'known' }], false);
    expect(problems).toEqual(['Only 99.25 % of the specs pass; the goal is 99.5 %.']);
    expect(judge([], [], false).problems).toEqual(['No spec was run.']);
  });

  it('rounds shares down', () => {
    expect(percent(4224 / 4225)).toBe('99.97 %');
    expect(percent(1)).toBe('100 %');
  });
});
