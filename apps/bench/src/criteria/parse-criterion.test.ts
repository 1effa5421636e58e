import { CRITERION_KINDS } from '@secateur/core';
import { describe, expect, it } from 'vitest';
import { parseCriteria, parseCriterion } from './parse-criterion.ts';

describe('criteria on the command line', () => {
  it('are names, with a setting of their own where one is given', () => {
    expect(CRITERION_KINDS.map((name) => parseCriterion(name).kind)).toEqual(CRITERION_KINDS);
    expect(parseCriterion('relative=0.25')).toEqual({ kind: 'relative', rho: 0.25 });
    expect(parseCriterion('reference=1e-4')).toEqual({ kind: 'reference', tau: 1e-4 });
    expect(parseCriteria('relative, graded=1,relative')).toEqual(['relative', 'graded=1']);
  });

  it.each([
    ['l1', "Expected one of reference, quantile, relative, graded, taylor, .*; got 'l1'"],
    ['constructor', "Expected one of reference, .*; got 'constructor'"],
    ['relative=', "Expected a number behind 'relative='; got ''"],
    ['relative=half', "Expected a number behind 'relative='; got 'half'"],
    ['l1-norm=2', "'l1-norm' has no setting; got '2'"],
  ])('refuses %s', (text, message) => {
    expect(() => parseCriteria(text)).toThrow(new RegExp(message));
  });
});
