import type { PruningPlan } from './pruning-plan.ts';

/**
 * Reads a plan from JSON text that may come from anywhere.
 *
 * @throws Error when the text is no JSON or no plan; whether the plan fits a model, `validatePlan` says.
 */
export function parsePlan(json: string): PruningPlan {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new Error(`Expected a pruning plan as JSON text, but it is not JSON: ${(error as Error).message}.`);
  }
  return requirePlan(value);
}

/**
 * Checks that a value is a plan, without a model to compare with.
 *
 * @throws Error when it is not of version 1, or does not list filter numbers by layer name, each once.
 */
export function requirePlan(value: unknown): PruningPlan {
  const { version, remove } = requireObject(value, 'A pruning plan');
  if (version !== 1) {
    throw new Error(`A pruning plan must have version 1, but this one has ${JSON.stringify(version)}.`);
  }
  for (const [layer, filters] of Object.entries(requireObject(remove, "The pruning plan's 'remove'"))) {
    requireFilters(filters, layer);
  }
  return value as PruningPlan;
}

function requireFilters(filters: unknown, layer: string): void {
  if (!Array.isArray(filters)) {
    throw new Error(
      `The pruning plan must list filter numbers for layer '${layer}', but has ${JSON.stringify(filters)}.`,
    );
  }
  const seen = new Set<unknown>();
  for (const filter of filters as unknown[]) {
    if (!Number.isSafeInteger(filter) || (filter as number) < 0) {
      throw new Error(
        `The pruning plan removes filter ${JSON.stringify(filter)} of layer '${layer}'; filter numbers are whole and start at 0.`,
      );
    }
    if (seen.has(filter)) throw new Error(`The pruning plan removes filter ${filter} of layer '${layer}' twice.`);
    seen.add(filter);
  }
}

function requireObject(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`${what} must be an object, but is ${JSON.stringify(value)}.`);
  }
  return value as Record<string, unknown>;
}
