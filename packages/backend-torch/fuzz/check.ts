// Draws cases of one family until one differs, and shrinks that.
import fc from 'fast-check';
import { compare } from './agreement.ts';
import type { Case, Family } from './family.ts';

export interface CheckOptions {
  readonly cases: number;
  readonly seed: number;
  /** Goes straight to one counterexample, as a report names it. */
  readonly path?: string | undefined;
}

export interface Report {
  /** How many cases both backends computed. */
  readonly compared: number;
  /** How many tfjs-backend-cpu refused, so that there was nothing to compare with. */
  readonly refused: number;
  readonly failure: Failure | undefined;
}

export interface Failure {
  readonly counterexample: Case;
  readonly path: string;
  readonly reason: string;
}

export async function check(family: Family, { cases, seed, path }: CheckOptions): Promise<Report> {
  const counts = { agrees: 0, refused: 0 };
  const property = fc.asyncProperty(family.cases, async (drawn) => {
    counts[await compare(family, drawn)]++;
  });
  const run = await fc.check(property, { seed, numRuns: cases, ...(path ? { path } : {}) });
  const failure = run.failed
    ? { counterexample: run.counterexample![0], path: run.counterexamplePath!, reason: reasonOf(run.errorInstance) }
    : undefined;
  return { compared: counts.agrees, refused: counts.refused, failure };
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause ? `${error.message}: ${reasonOf(error.cause)}` : error.message;
}
