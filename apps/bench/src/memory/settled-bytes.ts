/**
 * Resident memory without what V8's heap holds in reserve. Reserve comes and goes with the times at which garbage is collected;
 * a leak, native or of objects, shows in the rest.
 */
export function settledBytes(): number {
  // The heap's rubbish is no leak.
  globalThis.gc!();
  const { rss, heapTotal, heapUsed } = process.memoryUsage();
  return rss - (heapTotal - heapUsed);
}
