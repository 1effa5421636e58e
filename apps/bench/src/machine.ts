import os from 'node:os';

/** Where a measurement was taken. */
export interface Machine {
  readonly cpu: string;
  /** Logical processors that this process may use. */
  readonly processors: number;
  readonly memoryBytes: number;
  readonly system: string;
  readonly node: string;
  /** Mean number of runnable processes over the last minute, before the measurement. */
  readonly load: number;
}

export function describeMachine(): Machine {
  return {
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    processors: os.availableParallelism(),
    memoryBytes: os.totalmem(),
    system: `${os.platform()} ${os.release()} ${os.arch()}`,
    node: process.versions.node,
    load: os.loadavg()[0]!,
  };
}
