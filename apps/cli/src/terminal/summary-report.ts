import type { Goal } from '../run/goals.ts';
import type { NetworkReport, Summary } from '../run/summary.ts';
import { bar, bytes, change, count, duration, milliseconds, percent, points, signed, wallTime } from './format.ts';
import { table } from './table.ts';
import type { Terminal } from './terminal.ts';

type Colors = Terminal['resultColors'];

/** The end of a run for people: before and after, who paid, what is left of each layer, and the goals. */
export function summaryReport(summary: Summary, { colors }: { colors: Colors }): string {
  return [
    comparison(summary),
    classes(summary),
    layers(summary),
    goals(summary.goals, colors),
    `Wall time ${times(summary.seconds)}.`,
  ].join('\n\n');
}

function comparison({ unpruned, pruned, change: { speedup, testAccuracy } }: Summary): string {
  const counted = (name: string, format: (value: number) => string, of: (network: NetworkReport) => number) => [
    name,
    format(of(unpruned)),
    format(of(pruned)),
    change(of(unpruned), of(pruned)),
  ];
  return table(
    [{ title: 'Network' }, { title: 'unpruned' }, { title: 'pruned' }, { title: 'change' }],
    [
      counted('MACs', count, ({ macs }) => macs),
      counted('parameters', count, ({ parameters }) => parameters),
      counted('ONNX file', bytes, ({ onnxBytes }) => onnxBytes),
      [
        'latency, 1 image',
        milliseconds(unpruned.latency.medianMs),
        milliseconds(pruned.latency.medianMs),
        `${speedup.toFixed(2)} x as fast`,
      ],
      ['test accuracy', percent(unpruned.test.accuracy, 2), percent(pruned.test.accuracy, 2), points(testAccuracy)],
    ],
  );
}

function classes({ unpruned, pruned }: Summary): string {
  const before = new Map(unpruned.test.classes.map((entry) => [entry.className, share(entry)]));
  const rows = pruned.test.classes
    .filter(({ images }) => images > 0)
    .map((entry) => {
      const [was, is] = [before.get(entry.className)!, share(entry)];
      return [entry.className, percent(was), percent(is), signed(100 * (is - was))];
    });
  return table([{ title: 'Class' }, { title: 'unpruned' }, { title: 'pruned' }, { title: 'points' }], rows);
}

function layers({ unpruned, pruned }: Summary): string {
  const left = new Map(pruned.filters.map(({ layer, filters }) => [layer, filters]));
  const rows = unpruned.filters.map(({ layer, filters }) => {
    const kept = left.get(layer)!;
    return [layer, `${filters}`, `${kept}`, `${bar(kept / filters)} ${percent(kept / filters, 0)}`];
  });
  return table([{ title: 'Layer' }, { title: 'filters' }, { title: 'left' }, { title: '', align: 'left' }], rows);
}

function goals(list: readonly Goal[], colors: Colors): string {
  const rows = list.map((goal) => {
    const mark = goal.met ? colors.green('ok') : colors.red('MISSED');
    const distance = `${quantity(Math.abs(goal.spare), goal.unit === 'share' ? 'points' : goal.unit)} ${goal.met ? 'to spare' : 'short'}`;
    return [
      mark,
      goal.name,
      quantity(goal.value, goal.unit),
      `${goal.sense} ${quantity(goal.goal, goal.unit)}`,
      distance,
    ];
  });
  return table(
    [{ title: 'Goal' }, { title: '', align: 'left' }, { title: 'is' }, { title: 'wanted' }, { title: 'distance' }],
    rows,
  );
}

function quantity(value: number, unit: Goal['unit']): string {
  switch (unit) {
    case 'share':
      return percent(value, 2);
    case 'points':
      return points(value).replace('+', '');
    case 'minutes':
      return wallTime(60 * value);
    case 'logit':
      return value.toExponential(1);
    case 'images':
      return `${value}`;
    case 'MACs':
    case 'parameters':
      return count(value);
    case 'milliseconds':
      return milliseconds(value);
    default:
      return unit satisfies never;
  }
}

function times(seconds: Summary['seconds']): string {
  const { afterData, ...parts } = seconds;
  const listed = Object.entries(parts)
    .filter(([, value]) => value >= 0.5)
    .map(([part, value]) => `${part} ${duration(value)}`);
  return [`${duration(afterData!)} after the data was there`, ...listed].join(', ');
}

function share({ correct, images }: { correct: number; images: number }): number {
  return images === 0 ? 0 : correct / images;
}
