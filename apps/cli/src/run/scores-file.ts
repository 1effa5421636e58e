import { readFile } from 'node:fs/promises';
import type { Criterion, LayerScores } from '@secateur/core';
import { z } from 'zod';

const numbers = z.array(z.number());

const scoresFile = z.object({
  version: z.literal(1),
  criterion: z.looseObject({ kind: z.string() }),
  classNames: z.array(z.string()),
  layers: z.array(
    z.object({
      layer: z.string(),
      filters: z.int(),
      classes: z.int(),
      numerators: numbers,
      denominator: z.number().positive(),
      tieBreak: numbers,
      classMatrix: numbers,
    }),
  ),
});

/** scores.json: what a scoring found, as plain JSON. */
export function scoresToJson(
  scores: readonly LayerScores[],
  { criterion, classNames }: { criterion: Criterion; classNames: readonly string[] },
): z.infer<typeof scoresFile> {
  return {
    version: 1,
    criterion,
    classNames: [...classNames],
    layers: scores.map(({ numerators, tieBreak, classMatrix, ...facts }) => ({
      ...facts,
      numerators: [...numerators],
      tieBreak: [...tieBreak],
      classMatrix: [...classMatrix],
    })),
  };
}

/** @throws Error when the file cannot be read or is no such JSON. */
export async function readScores(file: string): Promise<LayerScores[]> {
  const { layers } = parse(await readJson(file, 'scores'), file);
  return layers.map(({ numerators, tieBreak, classMatrix, ...facts }) => ({
    ...facts,
    numerators: numerators.every(Number.isInteger) ? Int32Array.from(numerators) : Float64Array.from(numerators),
    tieBreak: Float64Array.from(tieBreak),
    classMatrix: Float32Array.from(classMatrix),
  }));
}

/** @param what What the file should hold, for the message. */
export async function readJson(file: string, what: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new Error(`'${file}' cannot be read as a JSON file of ${what}: ${(cause as Error).message}`, { cause });
  }
}

function parse(value: unknown, file: string): z.infer<typeof scoresFile> {
  const checked = scoresFile.safeParse(value);
  if (checked.success) return checked.data;
  const [{ path, message }] = checked.error.issues as [z.core.$ZodIssue];
  throw new Error(
    `'${file}' holds no scores: ${path.join('.') || 'its content'}: ${message}. Make it with: secateur score`,
  );
}
