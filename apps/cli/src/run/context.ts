import type { Terminal } from '../terminal/terminal.ts';
import type { RunDirectory } from './run-directory.ts';
import type { RunForecast } from './run-forecast.ts';
import type { Stopwatch } from './stopwatch.ts';

/** What every part of a run needs around it. */
export interface RunContext {
  readonly directory: RunDirectory;
  readonly terminal: Terminal;
  readonly stopwatch: Stopwatch;
  /** Where trainings are parts of something larger. */
  readonly forecast?: RunForecast | undefined;
  /** When its first process began. */
  readonly startedAt: string;
  /** Aborted by Ctrl-C: the step under way is finished, and nothing more. */
  readonly signal: AbortSignal;
}
