// A worker thread does not inherit tsx from the process that starts it, and so cannot load TypeScript by itself.
import { register } from 'tsx/esm/api';

register();
await import('./live-worker.ts');
