import { duration, wallTime, whole } from '../../../terminal/format.ts';
import type { ReportedGoal, RunReport } from '../../run-report.ts';
import { h, table } from '../dom.ts';
import type { Section } from '../section.ts';
import { headlines, STATES, story } from '../story.ts';

/** What the run was for, in numbers before and after. */
export function headlineSection(): Section {
  const element = h('section', { id: 'result', class: 'bare', 'aria-label': 'Result' });
  return {
    id: 'result',
    title: 'Result',
    element,
    needs: [
      'before',
      'after',
      'state',
      'seconds',
      'expectedSeconds',
      'goals',
      'iterations',
      'curves',
      'message',
      'endReason',
      'verification',
    ],
    show(run) {
      element.replaceChildren(...parts(run));
      return true;
    },
  };
}

function parts(run: RunReport): Node[] {
  const cards = headlines(run).map(({ name, change, before, after, left, note }) => {
    const bar = h('div', { class: 'bar', 'aria-hidden': 'true' }, h('span'));
    bar.style.setProperty('--left', `${Math.min(1, left)}`);
    return h(
      'li',
      {},
      h('span', { class: 'name' }, name),
      quantityOf(change),
      h('span', { class: 'values' }, `${unbroken(before)} → ${unbroken(after)}`),
      bar,
      note === undefined ? undefined : h('small', {}, note),
    );
  });
  return [
    h('p', { class: 'story' }, h('span', { class: `state ${run.state}` }, STATES[run.state]), ` ${story(run)}`),
    ...(run.message === undefined ? [] : [h('p', { class: 'message', role: 'alert' }, run.message)]),
    ...(run.state === 'running' ? [h('p', { class: 'now' }, whereItIs(run))] : []),
    ...(cards.length > 0 ? [h('ul', { class: 'cards' }, ...cards)] : []),
    ...(run.goals.length > 0 ? [goals(run)] : []),
  ];
}

/** A number stays with its unit on one line. */
function unbroken(quantity: string): string {
  return quantity.replaceAll(' ', '\u00a0');
}

/** The number large, its unit small. */
function quantityOf(change: string): HTMLElement {
  const [, number, unit] = /^(\S+)(.*)$/.exec(change)!;
  return h('strong', {}, number!.replace(/^-/, '−'), h('small', {}, unit!));
}

/** The latest of a run that goes on. */
function whereItIs({ curves, seconds, expectedSeconds }: RunReport): string {
  const curve = curves.at(-1);
  const left =
    expectedSeconds && expectedSeconds > seconds ? `, about ${duration(expectedSeconds - seconds)} left` : '';
  const since = `${duration(seconds)} since the start${left}`;
  if (!curve) return since;
  const epoch = curve.steps.epoch.at(-1) ?? curve.means.length;
  const loss = curve.steps.total.at(-1) ?? curve.means.at(-1)?.loss;
  const name = curve.iteration === undefined ? curve.phase : `${curve.phase} of iteration ${curve.iteration}`;
  return `${since}; ${name}: epoch ${epoch.toFixed(1)} of ${curve.epochs}${loss === undefined ? '' : `, loss ${loss.toPrecision(3)}`}`;
}

function goals({ goals, verification }: RunReport): HTMLElement {
  const missed = goals.filter(({ met }) => !met).length;
  const rows = goals.map((goal) => [
    goal.name,
    quantity(goal, goal.value),
    `${goal.sense} ${quantity(goal, goal.goal)}`,
    h('span', { class: goal.met ? 'met' : 'missed' }, goal.met ? '✓ met' : '✗ missed'),
  ]);
  const text = missed === 0 ? `All ${goals.length} goals met` : `${missed} of ${goals.length} goals missed`;
  const check = verification
    ? `; the ONNX file ${verification.passed ? 'agrees' : 'disagrees'} with the network on ${whole(verification.images)} images`
    : '';
  return h(
    'details',
    { class: 'goals', open: missed > 0 },
    h('summary', {}, `${text}${check}`),
    table([{ title: 'Goal' }, { title: 'is' }, { title: 'wanted' }, { title: '' }], rows, 'Goals'),
  );
}

function quantity({ unit }: ReportedGoal, value: number): string {
  switch (unit) {
    case 'share':
      return `${(100 * value).toFixed(2)} %`;
    case 'points':
      return `${(100 * value).toFixed(2)} points`;
    case 'minutes':
      return wallTime(60 * value);
    case 'logit':
      return value.toExponential(1);
    case 'milliseconds':
      return `${value.toPrecision(3)} ms`;
    case 'MACs':
    case 'parameters':
      return whole(value);
    default:
      return `${value}`;
  }
}
