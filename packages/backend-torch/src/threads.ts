// How many threads to start with: one per physical core this process may use. Two per core slow convolutions down.
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** More than a few for each processor only wait for each other, and thousands exhaust the system. */
export function mostThreads(): number {
  return Math.max(8, 4 * availableParallelism());
}

/** OMP_NUM_THREADS if set, as far as it is sensible, else the number of physical cores available to this process. */
export function defaultThreads(environment: NodeJS.ProcessEnv = process.env): number {
  const asked = Number.parseInt(environment.OMP_NUM_THREADS ?? '', 10);
  if (asked >= 1) return Math.min(asked, mostThreads());
  return Math.max(1, Math.min(availableParallelism(), physicalCores() ?? Number.POSITIVE_INFINITY));
}

/** Linux tells which processors share a core; elsewhere undefined. */
function physicalCores(): number | undefined {
  try {
    const status = readFileSync('/proc/self/status', 'utf8');
    const allowed = /^Cpus_allowed_list:\s*(.+)$/m.exec(status)?.[1];
    if (!allowed) return undefined;
    const cores = parseCpuList(allowed).map((cpu) =>
      readFileSync(`/sys/devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`, 'utf8').trim(),
    );
    return new Set(cores).size;
  } catch {
    return undefined;
  }
}

/** "0-3,8" -> [0, 1, 2, 3, 8] */
export function parseCpuList(list: string): number[] {
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}
