import { deviation, percent } from '../format.ts';
import { plot } from '../plot/plot.ts';
import { type Spread, spread } from '../statistics.ts';
import type { Presentation } from '../study/study.ts';
import { formatTable } from '../table.ts';
import type { RobustnessRecord } from './records.ts';

/** 'unpruned': as the pruning found it. 'trained as long': the same, trained on for as many epochs as the pruned one was tuned. */
export const STATES = ['unpruned', 'trained as long', 'pruned'] as const;

export interface MeasuredState extends RobustnessRecord {
  readonly network: string;
  readonly seed: number;
  readonly state: (typeof STATES)[number];
  /** Share of the MACs that are gone. */
  readonly macsRemoved: number;
}

/** Accuracy on attacked test images, over seeds. */
export interface AttackSummary {
  readonly network: string;
  readonly state: MeasuredState['state'];
  readonly attack: 'none' | 'fgsm' | 'pgd';
  /** In 255ths; 0 without an attack. */
  readonly epsilon: number;
  readonly accuracy: Spread;
}

export interface RobustnessReport {
  readonly epsilons: readonly number[];
  readonly summaries: readonly AttackSummary[];
  readonly measured: readonly MeasuredState[];
}

export function buildReport(measured: readonly MeasuredState[], epsilons: readonly number[]): RobustnessReport {
  const networks = [...new Set(measured.map(({ network }) => network))];
  const summaries = networks.flatMap((network) =>
    STATES.flatMap((state): AttackSummary[] => {
      const alike = measured.filter((one) => one.network === network && one.state === state);
      const over = (of: (one: MeasuredState) => number) => spread(alike.map(of));
      return [
        { network, state, attack: 'none', epsilon: 0, accuracy: over(({ clean }) => clean) },
        ...(['fgsm', 'pgd'] as const).flatMap((attack) =>
          epsilons.map((epsilon, i) => ({ network, state, attack, epsilon, accuracy: over((one) => one[attack][i]!) })),
        ),
      ];
    }),
  );
  return { epsilons, summaries, measured };
}

export function presentReport({ epsilons, summaries, measured }: RobustnessReport): Presentation {
  const columns = [
    { heading: 'clean', attack: 'none', epsilon: 0 },
    ...(['fgsm', 'pgd'] as const).flatMap((attack) =>
      epsilons.map((epsilon) => ({ heading: `${attack.toUpperCase()} ${epsilon}/255`, attack, epsilon })),
    ),
  ];
  const networks = [...new Set(summaries.map(({ network }) => network))];
  const rows = networks.flatMap((network) =>
    STATES.map((state) => [
      `${network} ${state}`,
      ...columns.map(({ attack, epsilon }) => {
        const { accuracy } = summaries.find(
          (one) => one.network === network && one.state === state && one.attack === attack && one.epsilon === epsilon,
        )!;
        return percent(accuracy.mean) + deviation(accuracy.standardDeviation);
      }),
    ]),
  );
  const pruned = measured.filter(({ state }) => state === 'pruned');
  const text = [
    'Accuracy on test images that were changed against the network itself',
    ...pruned.map(
      ({ network, seed, macsRemoved }) => `${network}, seed ${seed}: ${percent(macsRemoved)} of the MACs pruned`,
    ),
    '',
    formatTable(['network', ...columns.map(({ heading }) => heading)], rows),
    '',
    '± is the standard deviation over seeds. Attacks are white-box, by no more than epsilon in any pixel value; nothing was trained against them.',
  ].join('\n');
  const plots = networks.map((network) => [
    network,
    plot({
      title: `Accuracy of ${network} under attack`,
      x: { label: 'epsilon, in 255ths' },
      y: { label: 'accuracy' },
      series: (['fgsm', 'pgd'] as const).flatMap((attack) =>
        STATES.map((state) => ({
          name: `${attack.toUpperCase()}, ${state}`,
          mark: 'line' as const,
          points: summaries
            .filter((one) => one.network === network && one.state === state && ['none', attack].includes(one.attack))
            .map(({ epsilon, accuracy }) => [epsilon, accuracy.mean] as const),
        })),
      ),
    }),
  ]);
  return { text, plots: Object.fromEntries(plots) };
}
