import { existsSync } from 'node:fs';
import { join } from 'node:path';

export const CONFIG = 'config.json';
export const EVENTS = 'events.jsonl';

export function isRun(directory: string): boolean {
  return existsSync(join(directory, CONFIG)) && existsSync(join(directory, EVENTS));
}
