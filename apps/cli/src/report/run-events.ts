import { z } from 'zod';

const numbers = z.array(z.number());

export const classResults = z.object({
  images: z.number(),
  accuracy: z.number(),
  loss: z.number().optional(),
  classes: z.array(z.object({ className: z.string(), correct: z.number(), images: z.number() })),
  confusion: z.array(numbers),
});

const layerScores = z.object({
  layer: z.string(),
  filters: z.int(),
  classes: z.int(),
  numerators: numbers,
  denominator: z.number(),
  classMatrix: numbers,
});
export type RecordedScores = z.infer<typeof layerScores>;

const phase = { phase: z.string().default('train'), iteration: z.int().optional() };
const cost = { macs: z.number(), parameters: z.number() };
const seconds = { seconds: z.number() };

/** The lines of events.jsonl that a report is made of. */
const runEvent = z.discriminatedUnion('type', [
  z.object({ ...seconds, type: z.literal('started'), at: z.string() }),
  z.object({
    ...seconds,
    type: z.literal('step'),
    ...phase,
    step: z.int(),
    steps: z.int(),
    epoch: z.int(),
    total: z.number(),
    crossEntropy: z.number(),
    distillation: z.number().default(0),
    l1: z.number(),
    orthogonality: z.number(),
    learningRate: z.number(),
  }),
  z.object({
    ...seconds,
    type: z.literal('epoch'),
    ...phase,
    epoch: z.int(),
    epochs: z.int(),
    secondsLeft: z.number().optional(),
    loss: z.number(),
    crossEntropy: z.number(),
    accuracy: z.number(),
    imagesPerSecond: z.number(),
  }),
  z.object({ ...seconds, type: z.literal('baseline'), evaluation: classResults, ...cost }),
  z.object({ ...seconds, type: z.literal('scored'), iteration: z.int(), scores: z.array(layerScores) }),
  z.object({
    ...seconds,
    type: z.literal('pruned'),
    iteration: z.int(),
    removed: z.array(z.object({ layer: z.string(), filter: z.int() })),
  }),
  z.object({
    ...seconds,
    type: z.literal('evaluated'),
    iteration: z.int(),
    evaluation: classResults,
    withinTolerance: z.boolean(),
    ...cost,
  }),
  z.object({ ...seconds, type: z.literal('rolled-back'), iteration: z.int() }),
  z.object({ ...seconds, type: z.literal('finished'), reason: z.string() }),
  z.object({ ...seconds, type: z.literal('completed') }),
  z.object({ ...seconds, type: z.literal('resumed') }),
  z.object({ ...seconds, type: z.literal(['interrupted', 'failed']), message: z.string().optional() }),
]);
export type RunEvent = z.infer<typeof runEvent>;

const KNOWN: ReadonlySet<string> = new Set<string>(runEvent.options.flatMap(({ shape }) => [...shape.type.values]));

/**
 * One line of events.jsonl.
 *
 * @returns undefined for events that no report speaks of.
 * @throws Error saying what is wrong with the line.
 */
export function parseRunEvent(line: string): RunEvent | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new Error(`it is no JSON (${(cause as Error).message})`, { cause });
  }
  const type = (value as { type?: unknown } | null)?.type;
  if (typeof type === 'string' && !KNOWN.has(type)) return undefined;
  const event = runEvent.safeParse(value);
  if (event.success) return event.data;
  const [{ path, message }] = event.error.issues as [z.core.$ZodIssue];
  throw new Error(`${path.join('.') || 'its content'}: ${message}`);
}
