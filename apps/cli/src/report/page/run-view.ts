import type { RunReport } from '../run-report.ts';
import { onThemeChange } from './current-theme.ts';
import { h } from './dom.ts';
import type { Section } from './section.ts';
import { classesSection } from './sections/classes-section.ts';
import { confusionSection } from './sections/confusion-section.ts';
import { curvesSection } from './sections/curves-section.ts';
import { headlineSection } from './sections/headline-section.ts';
import { heatSection } from './sections/heat-section.ts';
import { iterationsSection } from './sections/iterations-section.ts';
import { layersSection } from './sections/layers-section.ts';
import { scoresSection } from './sections/scores-section.ts';
import { settingsSection } from './sections/settings-section.ts';

/** All about one run, and where in it to go. */
export class RunView {
  readonly element: HTMLElement;
  readonly #nav = h('nav', { 'aria-label': 'Sections' });
  readonly #sections: readonly Section[] = [
    headlineSection(),
    iterationsSection(),
    layersSection(),
    classesSection(),
    scoresSection(),
    heatSection(),
    curvesSection(),
    confusionSection(),
    settingsSection(),
  ];
  #run: RunReport | undefined;

  constructor() {
    this.element = h('div', {}, this.#nav, ...this.#sections.map(({ element }) => element));
    onThemeChange(() => {
      const run = this.#run;
      this.#run = undefined;
      if (run) this.show(run);
    });
  }

  /** Draws those sections that show something else than before. */
  show(run: RunReport): void {
    const former = this.#run;
    this.#run = run;
    const changed = this.#sections.filter(({ needs }) => !former || needs.some((key) => former[key] !== run[key]));
    for (const section of changed) section.element.hidden = !section.show(run);
    this.#nav.replaceChildren(
      ...this.#sections
        .filter(({ element }) => !element.hidden)
        .map(({ id, title }) => h('a', { href: `#${id}` }, title)),
    );
  }
}
