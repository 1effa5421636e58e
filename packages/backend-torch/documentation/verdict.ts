// Whether the examples do on torch what they do on tfjs-backend-cpu.
import { CLOCKS, type Exclusion } from './exclusions.ts';
import type { Outcome } from './outcome.ts';

export interface Verdict {
  /** Examples that ran on both, and printed the same unless they print the time. */
  readonly ran: number;
  readonly excluded: number;
  /** What is wrong, one entry each. */
  readonly problems: readonly string[];
}

/** @param expected outcomes on tfjs-backend-cpu, of the same examples as `actual`, those on torch */
export function judge(
  expected: readonly Outcome[],
  actual: readonly Outcome[],
  exclusions: readonly Exclusion[],
): Verdict {
  const problems = exclusions
    .filter(({ matches }) => !expected.some(matches))
    .map(({ reason }) => `no example is excluded because it ${reason}`);
  let [ran, excluded] = [0, 0];
  expected.forEach((onCpu, i) => {
    const onTorch = actual[i]!;
    const problem = exclusions.some(({ matches }) => matches(onCpu))
      ? problemOfExcluded(onCpu, onTorch)
      : problemOf(onCpu, onTorch);
    if (problem) problems.push(`${onCpu.name}: ${problem}`);
    else if (onTorch.error === undefined) ran++;
    else excluded++;
  });
  return { ran, excluded, problems };
}

function problemOfExcluded(onCpu: Outcome, onTorch: Outcome): string | undefined {
  if (onCpu.error !== undefined && onTorch.error !== undefined) return undefined;
  return 'is excluded, but runs';
}

function problemOf(onCpu: Outcome, onTorch: Outcome): string | undefined {
  if (onTorch.error !== undefined) return `torch: ${onTorch.error}`;
  if (onCpu.error !== undefined) return `cpu: ${onCpu.error}`;
  if (CLOCKS.includes(onCpu.name) || agree(onTorch.printed, onCpu.printed)) return undefined;
  return `torch prints\n${onTorch.printed}\nbut cpu\n${onCpu.printed}`;
}

const NUMBER = /-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?/g;

/** The same text but for spaces, which align columns, and numbers within 1e-5, relative above 1. */
export function agree(actual: string, expected: string): boolean {
  const words = (text: string) => text.replace(NUMBER, '#').replace(/\s+/g, '');
  const numbers = (text: string) => (text.match(NUMBER) ?? []).map(Number);
  const wanted = numbers(expected);
  return (
    words(actual) === words(expected) &&
    numbers(actual).every((number, i) => Math.abs(number - wanted[i]!) <= 1e-5 * Math.max(1, Math.abs(wanted[i]!)))
  );
}
