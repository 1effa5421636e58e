import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { ENGINES } from './engine.ts';
import { runConfigSchema } from './run-config.ts';
import type { Summary } from './summary.ts';

const storedRun = z.object({
  command: z.literal('run'),
  startedAt: z.string(),
  config: runConfigSchema,
  /** Folder of the images; null for CIFAR-10 from the cache. */
  data: z.string().nullable(),
  engine: z.object({ name: z.enum(ENGINES), description: z.string(), threads: z.number().nullable() }),
});

/** What config.json says of a run that can be gone on with. */
export type StoredRun = z.infer<typeof storedRun>;

/** @throws Error when it is another command's, or of a version that knew other settings. */
export function readStoredRun(value: unknown, file: string): StoredRun {
  const { command } = value as { command?: unknown };
  if (command !== 'run') {
    throw new Error(`Only a run can be gone on with, but '${file}' is of the command '${command}'. Start that anew.`);
  }
  const { data, error } = storedRun.safeParse(value);
  if (data) return data;
  const [issue] = error.issues;
  throw new Error(
    `'${file}' does not fit this version of secateur: ${issue!.path.join('.')}: ${issue!.message}. Go on with the version that wrote it, or start anew.`,
  );
}

/** The summary of a run that is complete; undefined of one that is not. */
export async function readSummary(file: string): Promise<Summary | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Summary;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
