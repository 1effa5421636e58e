import { expect, it } from 'vitest';
import { Terminal } from './terminal.ts';

function capture({ isTTY = false, columns = 40, env = {}, ...options }: Record<string, unknown> = {}) {
  const written = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof written) => ({
    isTTY: isTTY as boolean,
    columns: columns as number,
    write: (text: string) => {
      written[name] += text;
    },
  });
  const terminal = new Terminal({
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    env: env as Record<string, string>,
    ...options,
  });
  return { terminal, written };
}

it('draws progress over itself on a terminal, no longer than a line, and takes it away', () => {
  const { terminal, written } = capture({ isTTY: true, columns: 6, env: { NO_COLOR: '1' } });
  terminal.progress(() => '1234567');
  terminal.progress(() => 'too soon after the first');
  terminal.line('done');
  expect(written.stderr).toBe('\r12345\x1b[K\r\x1b[Kdone\n');
});

it.each([{ isTTY: false }, { isTTY: true, env: { CI: 'true' } }])('writes no progress at once with %o', (options) => {
  const { terminal, written } = capture(options);
  terminal.progress(() => 'bar');
  expect(written.stderr).toBe('');
});

it('has colours on a terminal, unless NO_COLOR says otherwise', () => {
  const colored = (options: Record<string, unknown>) => capture(options).terminal.colors.red('x') !== 'x';
  expect(colored({ isTTY: true })).toBe(true);
  expect(colored({ isTTY: true, env: { NO_COLOR: '1' } })).toBe(false);
  expect(colored({ isTTY: false })).toBe(false);
  expect(colored({ isTTY: false, env: { FORCE_COLOR: '1' } })).toBe(true);
});

it('keeps quiet but for results, warnings and errors', () => {
  const { terminal, written } = capture({ quiet: true });
  terminal.line('story');
  terminal.warn('careful');
  terminal.error(new Error('first line\n  second line'));
  terminal.result({ text: () => 'result', value: 1 });
  expect(written).toEqual({ stdout: 'result\n', stderr: 'warning: careful\nerror: first line second line\n' });
});

it('gives programs JSON, and with debug the place of an error and its cause', () => {
  const { terminal, written } = capture({ json: true });
  terminal.result({ text: () => 'text', value: { accuracy: 0.5 } });
  expect(JSON.parse(written.stdout)).toEqual({ accuracy: 0.5 });
  terminal.error(new Error('outer', { cause: new Error('inner') }), { debug: true });
  expect(written.stderr).toMatch(/error: Error: outer\n\s+at .*\n[\s\S]*error: Error: inner\n\s+at /);
});
