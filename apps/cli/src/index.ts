export { readRun, readRunEvents } from './report/read-run.ts';
export type { RunEvent } from './report/run-events.ts';
export type { RunReport } from './report/run-report.ts';
export { writeReport } from './report/write-report.ts';
export {
  CheckpointStore,
  type FoundCheckpoint,
  type StateIdentity,
  type StoredCheckpoint,
  type UnusableCheckpoint,
} from './run/checkpoint-store.ts';
export type { SecateurConfig } from './run/config-file.ts';
export type { RunConfig } from './run/run-config.ts';
