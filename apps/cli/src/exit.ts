/** What the process tells its caller. */
export const EXIT = {
  ok: 0,
  error: 1,
  usage: 2,
  /** The work was done, but a goal was missed or the ONNX file disagrees with the network. */
  goalMissed: 3,
  /** EX_TEMPFAIL of sysexits.h: a run was stopped, and goes on with --resume. */
  resumable: 75,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The command line or a configuration asks for something that does not exist. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The work was stopped from outside and can be taken up again; the message says how. */
export class ResumableStop extends Error {
  override readonly name = 'ResumableStop';
}
