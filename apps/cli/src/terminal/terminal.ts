import { stripVTControlCharacters } from 'node:util';
import pc from 'picocolors';

export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

export interface TerminalOptions {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** No progress, only results, warnings and errors. */
  readonly quiet?: boolean;
  /** One JSON value on stdout in place of results for people. */
  readonly json?: boolean;
}

type Colors = ReturnType<typeof pc.createColors>;

const REDRAW_MS = 100;
const PLAIN_LINE_MS = 15_000;

/** Results go to stdout; progress and everything else that tells how it goes to stderr. */
export class Terminal {
  /** Colours of stderr and of stdout; they leave text as it is where there are none. */
  readonly colors: Colors;
  readonly resultColors: Colors;
  readonly #options: TerminalOptions;
  readonly #redraws: boolean;
  #drawn = false;
  #lastDrawn: number;

  constructor(options: TerminalOptions) {
    const { stdout, stderr, env } = options;
    this.#options = options;
    this.colors = pc.createColors(hasColors(stderr, env));
    this.resultColors = pc.createColors(hasColors(stdout, env));
    this.#redraws = stderr.isTTY === true && !env.CI && env.TERM !== 'dumb';
    this.#lastDrawn = this.#redraws ? Number.NEGATIVE_INFINITY : performance.now();
  }

  /** A line that stays. */
  line(text = ''): void {
    if (this.#options.quiet) return;
    this.#erase();
    this.#options.stderr.write(`${text}\n`);
    if (!this.#redraws) this.#lastDrawn = performance.now();
  }

  /** A line that stays, after its subject. */
  step(subject: string, text: string): void {
    this.line(`${this.colors.bold(subject.padEnd(10))} ${text}`);
  }

  /** Where things stand: one line, drawn again and again; where that is not possible, a new line every 15 seconds. */
  progress(text: () => string): void {
    if (this.#options.quiet) return;
    const now = performance.now();
    if (now - this.#lastDrawn < (this.#redraws ? REDRAW_MS : PLAIN_LINE_MS)) return;
    this.#lastDrawn = now;
    if (this.#redraws) {
      this.#options.stderr.write(`\r${fit(text(), (this.#options.stderr.columns ?? 80) - 1)}\x1b[K`);
      this.#drawn = true;
    } else {
      this.#options.stderr.write(`${text()}\n`);
    }
  }

  warn(text: string): void {
    this.#erase();
    this.#options.stderr.write(`${this.colors.yellow('warning:')} ${text}\n`);
  }

  /** @param options.debug Show where in the program it happened. */
  error(error: unknown, { debug = false }: { debug?: boolean } = {}): void {
    this.#erase();
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    const line = message.replaceAll(/\s*\n\s*/g, ' ');
    this.#options.stderr.write(`${this.colors.red('error:')} ${debug ? (stack ?? message) : line}\n`);
    if (debug && error instanceof Error && error.cause) this.error(error.cause, { debug });
  }

  /** What a command was run for: the text for people, or the value for programs. */
  result({ text, value }: { text: () => string; value: unknown }): void {
    this.#erase();
    this.#options.stdout.write(this.#options.json ? `${JSON.stringify(value, null, 2)}\n` : `${text()}\n`);
  }

  /** Takes the progress line away. */
  #erase(): void {
    if (this.#drawn) this.#options.stderr.write('\r\x1b[K');
    this.#drawn = false;
  }
}

function hasColors(stream: Output, env: TerminalOptions['env']): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR) return true;
  return stream.isTTY === true && env.TERM !== 'dumb';
}

/** A line that is too long would wrap, and could not be drawn over. */
function fit(text: string, columns: number): string {
  const plain = stripVTControlCharacters(text);
  return plain.length <= columns ? text : plain.slice(0, columns);
}
