import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

// biome-ignore lint/suspicious/noExplicitAny: events of all kinds, of which each test reads its own.
export async function readEvents(run: string): Promise<any[]> {
  const text = await readFile(join(run, 'events.jsonl'), 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}
