import type { z } from 'zod';
import { didYouMean } from '../did-you-mean.ts';
import { UsageError } from '../exit.ts';
import { type RunConfig, runConfigSchema } from './run-config.ts';

type Json = Record<string, unknown>;

/** A part of a configuration, to any depth. Keys that hold undefined change nothing. */
export type ConfigPatch = { readonly [key: string]: unknown };

/**
 * Merges patches over a configuration, later ones winning, and checks the whole.
 *
 * @throws UsageError naming the first key that is unknown or has a value out of range.
 */
export function resolveConfig(
  base: RunConfig,
  patches: readonly { readonly origin: string; readonly patch: ConfigPatch }[],
): RunConfig {
  let config: RunConfig = base;
  for (const { origin, patch } of patches) {
    const checked = runConfigSchema.safeParse(merge(config, patch));
    if (!checked.success) throw new UsageError(`${origin}: ${describeIssue(checked.error.issues[0]!, config)}`);
    config = checked.data;
  }
  return config;
}

function merge(base: unknown, patch: unknown): unknown {
  if (!isObject(base) || !isObject(patch)) return patch;
  // Another kind of schedule or criterion has other fields: it replaces the old one whole. All targets have the same.
  if ('kind' in patch && patch.kind !== base.kind && !('atMost' in base)) return patch;
  const merged: Json = { ...base };
  for (const [key, value] of Object.entries(patch)) if (value !== undefined) merged[key] = merge(base[key], value);
  return merged;
}

function describeIssue(issue: z.core.$ZodIssue, config: RunConfig): string {
  const path = issue.path.join('.');
  if (issue.code !== 'unrecognized_keys') return `${path}: ${issue.message}.`;
  const [key] = issue.keys as [string, ...string[]];
  const siblings = issue.path.reduce<unknown>((value, part) => (isObject(value) ? value[String(part)] : {}), config);
  const known = Object.keys(isObject(siblings) ? siblings : {});
  return `Unknown key '${[...issue.path, key].join('.')}'.${didYouMean(key, known)} Known here: ${known.join(', ')}.`;
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
