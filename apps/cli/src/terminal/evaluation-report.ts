import type { Evaluation, NetworkCost } from '@secateur/core';
import { count, percent, whole } from './format.ts';
import { table } from './table.ts';

/** How well one network does: overall and class by class. */
export function evaluationReport({ accuracy, loss, images, classes }: Evaluation): string {
  const rows = classes
    .filter((entry) => entry.images > 0)
    .map((entry) => [entry.className, percent(entry.correct / entry.images, 2), whole(entry.images)]);
  return table(
    [{ title: 'Class' }, { title: 'accuracy' }, { title: 'images' }],
    [...rows, ['all', percent(accuracy, 2), whole(images)]],
  ).concat(`\n\nMean cross entropy ${loss.toFixed(4)}.`);
}

export function describeCost({ parameters, macs }: Pick<NetworkCost, 'parameters' | 'macs'>): string {
  return `${count(parameters)} parameters, ${count(macs)} MACs`;
}
