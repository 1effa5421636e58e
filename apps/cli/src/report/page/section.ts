import type { RunReport } from '../run-report.ts';
import { h } from './dom.ts';

/** A part of the page. It is made once, so that what a person chose stays, and shows whatever run it is given. */
export interface Section {
  readonly id: string;
  readonly title: string;
  readonly element: HTMLElement;
  /** What of a run it shows: it is not drawn again when something else changes. */
  readonly needs: readonly (keyof RunReport)[];
  /** @returns Whether there is something to show. */
  show(run: RunReport): boolean;
}

export function sectionElement(id: string, title: string, ...children: readonly Node[]): HTMLElement {
  return h('section', { id, 'aria-labelledby': `${id}-title` }, h('h2', { id: `${id}-title` }, title), ...children);
}
