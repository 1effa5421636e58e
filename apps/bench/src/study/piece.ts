import type { Machine } from '../machine.ts';

/** Where a piece was measured, and with what. */
export interface Environment {
  readonly machine: Omit<Machine, 'load'>;
  readonly libtorch: string;
  readonly tfjs: string;
  readonly threads: number;
}

/** What one worker measured. */
export interface Piece<Result> {
  readonly environment: Environment;
  /** Of the measurement, without the start of the process. */
  readonly seconds: number;
  readonly result: Result;
}

export function describeEnvironment({ machine, libtorch, threads }: Environment): string {
  const { cpu, processors, system, node } = machine;
  return `${cpu}, ${processors} processors, ${system}, Node.js ${node}, libtorch ${libtorch}, ${threads} thread(s)`;
}
