// Whether a run conforms: pure, so that its rules can be tested.
import type { Exclusion } from './exclusions.ts';
import type { SpecResult } from './spec-result.ts';

/** Share of the specs that have to pass. */
export const GOAL = 0.995;

export interface Verdict {
  readonly passed: number;
  /** Failed, as an exclusion allows. */
  readonly excluded: number;
  readonly skipped: number;
  /** Passed, as a share of all that ran. */
  readonly share: number;
  /** What makes the run fail; none: it conforms. */
  readonly problems: readonly string[];
}

/** @param partial only some specs were run: an exclusion without a spec is no problem then */
export function judge(results: readonly SpecResult[], exclusions: readonly Exclusion[], partial: boolean): Verdict {
  const problems: string[] = [];
  const exclusionsOf = (name: string) => exclusions.filter(({ spec }) => matches(spec, name));
  const isExcluded = ({ name }: SpecResult) => exclusionsOf(name).length > 0;

  const passed = results.filter(({ status }) => status === 'passed');
  const failed = results.filter(({ status }) => status === 'failed');
  const share = passed.length / (passed.length + failed.length);

  for (const spec of failed.filter((result) => !isExcluded(result))) {
    problems.push([spec.name, ...spec.messages].join('\n    '));
  }
  for (const spec of passed.filter(isExcluded)) problems.push(`${spec.name}\n    passes again: remove its exclusion`);
  for (const { spec, reason } of exclusions) {
    if (!partial && !results.some(({ name }) => matches(spec, name))) {
      problems.push(`${spec}\n    no spec has this name: remove the exclusion (${reason})`);
    }
  }
  if (results.length === 0) problems.push('No spec was run.');
  else if (share < GOAL) problems.push(`Only ${percent(share)} of the specs pass; the goal is ${percent(GOAL)}.`);

  return {
    passed: passed.length,
    excluded: failed.filter(isExcluded).length,
    skipped: results.length - passed.length - failed.length,
    share,
    problems,
  };
}

function matches(spec: string | RegExp, name: string): boolean {
  return typeof spec === 'string' ? spec === name : spec.test(name);
}

/** Rounded down, so that 100 % means all. */
export function percent(share: number): string {
  return `${Math.floor(share * 10_000) / 100} %`;
}
