import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ClassifierDescription } from '@secateur/export';
import { z } from 'zod';
import { isOnnxFile, readMetadata } from './onnx-model.ts';
import { readSummary } from './stored-run.ts';
import type { IterationReport } from './summary.ts';

const runSummary = z.object({
  pruned: z.object({ test: z.object({ accuracy: z.number() }) }),
  iterations: z.array(
    z.object({
      removedFilters: z.number(),
      macs: z.number(),
      validationAccuracy: z.number(),
      withinTolerance: z.boolean(),
    }),
  ),
});

/** How a network came about, as an ONNX file tells it. */
export type History = Pick<ClassifierDescription, 'accuracy' | 'pruning'>;

/** Steps that a guard took back are no part of it. */
export function historyOf(
  iterations: readonly Pick<IterationReport, 'removedFilters' | 'macs' | 'validationAccuracy' | 'withinTolerance'>[],
  test: { readonly accuracy: number },
): History {
  const pruning = iterations
    .filter(({ withinTolerance }) => withinTolerance)
    .map(({ removedFilters, macs, validationAccuracy }) => ({ removedFilters, macs, accuracy: validationAccuracy }));
  return { accuracy: test.accuracy, pruning };
}

/** The history of a run directory's result, or what an ONNX file tells; empty for anything else. */
export async function readHistory(path: string): Promise<History> {
  if (isOnnxFile(path)) {
    const { accuracy, pruning } = await readMetadata(path);
    return { ...(accuracy !== undefined && { accuracy }), ...(pruning && { pruning }) };
  }
  const file = join(path, 'summary.json');
  if (!existsSync(file)) return {};
  const { data } = runSummary.safeParse(await readSummary(file));
  return data ? historyOf(data.iterations, data.pruned.test) : {};
}
