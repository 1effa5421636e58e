import { describe, expect, it } from 'vitest';
import { bundleWithCore } from '../conformance/bundle.ts';
import { blocksOf } from '../documentation/examples.ts';
import { EXCLUSIONS } from '../documentation/exclusions.ts';
import { runOn } from '../documentation/on-backend.ts';
import { agree, judge } from '../documentation/verdict.ts';

it("the examples in tfjs's documentation run unchanged, and print what they print on tfjs-backend-cpu", async () => {
  const bundle = await bundleWithCore(new URL('../documentation/run.ts', import.meta.url), 'documentation-test');
  const onCpu = await runOn('cpu', bundle);
  const onTorch = await runOn('torch', bundle);
  const { ran, excluded, problems } = judge(onCpu, onTorch, EXCLUSIONS);
  expect(problems).toEqual([]);
  expect({ ran, excluded }).toEqual({ ran: 310, excluded: 54 });

  const stopsEarly = onTorch.find(({ code }) => code.includes('tf.callbacks.earlyStopping'))!;
  expect(stopsEarly.printed).toBe('[ 0.5, 0.5 ]');
});

it('takes the code of doc comments as it is written there', () => {
  const declarations =
    '/**\n * Adds.\n *\n * ```js\n * add(\n *   1);\n *\n * ```\n * ```bash\n * no\n * ```\n */\nadd(): 1;';
  expect(blocksOf(declarations)).toEqual(['add(\n  1);\n\n']);
});

describe('the verdict', () => {
  const outcome = (printed: string, error?: string) => ({
    name: 'one',
    code: 'tf.one()',
    printed,
    milliseconds: 1,
    ...(error === undefined ? {} : { error }),
  });
  const excluded = [{ matches: () => true, reason: 'needs more' }];

  it('forgives spaces and the last digits, nothing else', () => {
    expect(agree('[[1.0000001,  2],\n [-3e-7, 4]]', '[[1, 2], [0, 4]]')).toBe(true);
    expect(agree('[1.0001]', '[1]')).toBe(false);
    expect(agree('[1]', '[1, 2]')).toBe(false);
    expect(agree('NaN', '1')).toBe(false);
  });

  it('names what differs, and what fails on one side', () => {
    expect(judge([outcome('1')], [outcome('1')], [])).toEqual({ ran: 1, excluded: 0, problems: [] });
    expect(judge([outcome('1')], [outcome('2')], []).problems).toEqual(['one: torch prints\n2\nbut cpu\n1']);
    expect(judge([outcome('1')], [outcome('', 'Error: no')], []).problems).toEqual(['one: torch: Error: no']);
    expect(judge([outcome('', 'Error: no')], [outcome('1')], []).problems).toEqual(['one: cpu: Error: no']);
  });

  it('names an excluded example that runs, and an exclusion of nothing', () => {
    const failing = [outcome('', 'Error: no')];
    expect(judge(failing, failing, excluded)).toEqual({ ran: 0, excluded: 1, problems: [] });
    expect(judge([outcome('1')], [outcome('1')], excluded).problems).toEqual(['one: is excluded, but runs']);
    expect(judge([], [], excluded).problems).toEqual(['no example is excluded because it needs more']);
  });
});
