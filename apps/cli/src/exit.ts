/** What the process tells its caller. */
export const EXIT = {
  ok: 0,
  error: 1,
  usage: 2,
  /** The work was done, but a goal was missed or the ONNX file disagrees with the network. */
  goalMissed: 3,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The command line or a configuration asks for something that does not exist. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
