const METHODS = ['log', 'info', 'warn', 'error', 'debug'] as const;

/** Runs without what the specs, and tfjs under them, print. */
export async function quietly<T>(run: () => Promise<T>): Promise<T> {
  const { log, info, warn, error, debug } = console;
  for (const method of METHODS) console[method] = () => {};
  try {
    return await run();
  } finally {
    Object.assign(console, { log, info, warn, error, debug });
  }
}
