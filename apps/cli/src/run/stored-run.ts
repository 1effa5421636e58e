import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { ENGINES } from './engine.ts';
import { runConfigFields, runConfigSchema } from './run-config.ts';

const surroundings = z.object({
  startedAt: z.string(),
  /** Folder of the images; null for CIFAR-10 from the cache. */
  data: z.string().nullable(),
  engine: z.object({ name: z.enum(ENGINES), description: z.string(), threads: z.number().nullable() }),
});

const fields = runConfigFields.shape;

/** One training, of a network that may have had others. */
const oneTraining = surroundings.extend({
  training: fields.training.extend({ objective: fields.objective, precision: fields.precision }),
  images: runConfigFields.pick({
    seed: true,
    batchSize: true,
    trainingImages: true,
    testImages: true,
    validationFraction: true,
    imagesPerClass: true,
    augment: true,
  }),
  imageFolder: fields.imageFolder,
  checkpoints: fields.checkpoints,
});

const run = surroundings.extend({ command: z.literal('run'), config: runConfigSchema });
const train = oneTraining.extend({
  command: z.literal('train'),
  network: fields.network,
  width: fields.width,
  seed: fields.seed,
});
const finetune = oneTraining.extend({ command: z.literal('finetune'), model: z.string() });

interface Stored {
  run: z.infer<typeof run>;
  train: z.infer<typeof train>;
  finetune: z.infer<typeof finetune>;
}

const SCHEMAS: { readonly [Command in keyof Stored]: z.ZodType<Stored[Command]> } = { run, train, finetune };

/** Commands whose work can be gone on with. */
export type ResumableCommand = keyof Stored;

/** What config.json says of work that can be gone on with. */
export type StoredRun<Command extends ResumableCommand> = Stored[Command];
export type StoredSurroundings = z.infer<typeof surroundings>;

export function isResumable(command: unknown): command is ResumableCommand {
  return typeof command === 'string' && Object.hasOwn(SCHEMAS, command);
}

/** @throws Error when it is another command's, or of a version that knew other settings. */
export function readStoredRun<Command extends ResumableCommand>(
  expected: Command,
  value: unknown,
  file: string,
): StoredRun<Command> {
  const { command } = value as { command?: unknown };
  if (command !== expected) {
    const remedy = isResumable(command) ? `Go on with it by: secateur ${command} --resume` : 'Start that anew';
    throw new Error(`Expected a folder of the command '${expected}', but '${file}' is of '${command}'. ${remedy}.`);
  }
  const checked = SCHEMAS[expected].safeParse(value);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  throw new Error(
    `'${file}' does not fit this version of secateur: ${issue!.path.join('.')}: ${issue!.message}. Go on with the version that wrote it, or start anew.`,
  );
}

/** The summary of work that is complete; undefined of work that is not. */
export async function readSummary(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
