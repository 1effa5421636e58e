import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { isRun } from '../run/is-run.ts';
import { readJson } from '../run/scores-file.ts';
import { type CollectorOptions, RunCollector } from './run-collector.ts';
import { classResults, parseRunEvent, type RunEvent } from './run-events.ts';
import type { NetworkState, RunReport } from './run-report.ts';

const share = z.number().nullable();
const training = z.looseObject({ epochs: z.number() });

/** What a report reads of config.json; commands other than `run` have less of it. */
const configFile = z.looseObject({
  config: z
    .looseObject({
      network: z.string(),
      width: z.number(),
      model: z.string().nullable(),
      tolerance: z.number(),
      selection: z.looseObject({ strategy: z.string(), threshold: z.number() }),
      target: z.looseObject({ kind: z.string(), removed: share, atMost: share }),
      training,
      fineTune: training,
      finalTune: training,
    })
    .partial()
    .optional(),
  training: training.optional(),
});

const networkReport = z.object({
  macs: z.number(),
  parameters: z.number(),
  filters: z.array(z.object({ layer: z.string(), filters: z.number() })),
  test: classResults,
  onnxBytes: z.number(),
  latency: z.object({ medianMs: z.number(), p95Ms: z.number() }),
});

/** What a report reads of the summary.json of `secateur run`. */
const summaryFile = z.object({
  data: z.object({ name: z.string() }),
  unpruned: networkReport,
  pruned: networkReport,
  verification: z.object({ images: z.number(), maxAbsDifference: z.number(), passed: z.boolean() }),
  goals: z.array(
    z.object({
      name: z.string(),
      unit: z.string(),
      sense: z.string(),
      goal: z.number(),
      value: z.number(),
      met: z.boolean(),
    }),
  ),
  seconds: z.record(z.string(), z.number()),
});

/**
 * Reads a run directory, finished or not, in memory that does not grow with the number of steps.
 *
 * @throws Error when the folder holds no run, or a file of it is damaged.
 */
export async function readRun(path: string): Promise<RunReport> {
  checkRun(path);
  const collector = new RunCollector(await collectorOptions(path));
  for await (const event of readRunEvents(path)) collector.add(event);
  return describeRun(path, collector);
}

/** The events of a run that reports speak of, in order. A last line that was not written to its end is left out. */
export async function* readRunEvents(path: string): AsyncGenerator<RunEvent> {
  const file = join(path, 'events.jsonl');
  const lines = createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: Number.POSITIVE_INFINITY });
  let number = 0;
  let unfinished: Error | undefined;
  for await (const line of lines) {
    if (unfinished) throw unfinished;
    number++;
    if (line === '') continue;
    try {
      const event = parseRunEvent(line);
      if (event) yield event;
    } catch (cause) {
      unfinished = new Error(`Line ${number} of '${file}' is damaged: ${(cause as Error).message}.`, { cause });
    }
  }
}

/** @throws Error saying what the folder lacks. */
export function checkRun(path: string): void {
  if (isRun(path)) return;
  throw new Error(
    `Expected '${path}' to be the folder of a run, with config.json and events.jsonl in it. Make one with: secateur run --out ${path}`,
  );
}

export async function collectorOptions(path: string): Promise<CollectorOptions> {
  const { config = {}, training = config.training } = await readConfigOf(path);
  const { selection, fineTune, finalTune } = config;
  return {
    ...(selection && selection.strategy !== 'percentage' && { threshold: selection.threshold }),
    epochs: { train: training?.epochs, 'fine-tune': fineTune?.epochs, 'final-tune': finalTune?.epochs },
  };
}

/** What the events say, together with config.json and, where the run has got that far, summary.json. */
export async function describeRun(path: string, collector: RunCollector): Promise<RunReport> {
  const file = await readConfigOf(path);
  const { network, width, model, tolerance, target } = file.config ?? {};
  const summary = await readSummary(path);
  const facts = collector.facts();
  const { before, after } = facts;
  const finished = summary && before && after;
  const left = new Map(summary?.pruned.filters.map(({ layer, filters }) => [layer, filters]));
  return {
    ...facts,
    name: basename(resolve(path)),
    ...(network !== undefined && { network: model ? basename(model) : describeNetwork(network, width) }),
    ...(summary && { data: summary.data.name, verification: summary.verification }),
    ...(finished && { before: completed(before, summary.unpruned), after: completed(after, summary.pruned) }),
    layers:
      summary?.unpruned.filters.map(({ layer, filters }) => ({
        layer,
        before: filters,
        after: left.get(layer) ?? filters,
      })) ?? facts.layers,
    guards: {
      ...(before && tolerance !== undefined && { accuracyAtLeast: before.validation.accuracy - tolerance }),
      ...(before &&
        target?.kind === 'macs' && { macsAtMost: target.atMost ?? (1 - (target.removed ?? 0)) * before.macs }),
    },
    goals: summary?.goals ?? [],
    parts: summary?.seconds ?? {},
    config: file,
  };
}

function describeNetwork(network: string, width: number | undefined): string {
  return width === undefined || width === 1 ? network : `${network}, width ${width}`;
}

function completed(state: NetworkState, summary: z.infer<typeof networkReport>): NetworkState {
  const { macs, parameters, onnxBytes, latency, test } = summary;
  return { ...state, macs, parameters, onnxBytes, latency, test };
}

async function readConfigOf(path: string): Promise<z.infer<typeof configFile>> {
  const file = join(path, 'config.json');
  const parsed = configFile.safeParse(await readJson(file, 'a run'));
  if (parsed.success) return parsed.data;
  throw new Error(`'${file}' is not the config.json of a run: ${parsed.error.issues[0]!.message}.`);
}

/** Undefined before the end of a run, and for commands whose summary speaks of one network only. */
async function readSummary(path: string): Promise<z.infer<typeof summaryFile> | undefined> {
  const text = await readFile(join(path, 'summary.json'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Error(`'${join(path, 'summary.json')}' is no JSON: ${(cause as Error).message}`, { cause });
  }
  const parsed = summaryFile.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}
