import type { PageData, RunReport } from '../run-report.ts';
import { nextTheme } from './current-theme.ts';
import { Choice, h } from './dom.ts';
import { RunView } from './run-view.ts';
import { comparisonSection } from './sections/comparison-section.ts';

const data = JSON.parse(document.getElementById('report-data')!.textContent!) as PageData;
const root = document.getElementById('report')!;
const { runs } = data;

const view = new RunView();
const themeButton = h('button', { type: 'button', class: 'theme' }, 'Theme: auto');
themeButton.addEventListener('click', () => {
  themeButton.textContent = `Theme: ${nextTheme()}`;
});

const chosen = new Choice('Run', () => view.show(runs[Number(chosen.value)]!));
chosen.offer(runs.map(({ name }, i) => ({ value: `${i}`, text: name })));
const heading = h('h1');
const live = h('p', { class: 'live', role: 'status', hidden: true });

root.replaceChildren(
  h('header', {}, h('div', {}, heading, live), themeButton),
  ...(runs.length > 1
    ? [comparisonSection(runs), h('div', { class: 'pick' }, h('h2', {}, 'One run in detail'), chosen.element)]
    : []),
  h('main', { id: 'main' }, view.element),
  h('footer', {}, `Made by secateur ${data.version}.`),
);
showTitle(runs[0]!);
view.show(runs[0]!);

if (document.body.dataset.events) follow(document.body.dataset.events);

function showTitle({ network, data, name }: RunReport): void {
  const title = runs.length > 1 ? 'Runs of secateur' : [network ?? name, data].filter(Boolean).join(' on ');
  heading.textContent = title;
  document.title = `${title} · secateur`;
}

/** Takes in what changes while a run goes on. */
function follow(address: string): void {
  let run = runs[0]!;
  const source = new EventSource(address + location.search);
  const say = (text: string) => {
    live.hidden = false;
    live.textContent = text;
  };
  source.addEventListener('open', () => say('live'));
  source.addEventListener('change', ({ data }) => {
    run = { ...run, ...(JSON.parse(data) as Partial<RunReport>) };
    showTitle(run);
    view.show(run);
  });
  source.addEventListener('end', () => {
    source.close();
    say('The run has ended; this page stays as it is. The same is in report.html of its folder.');
  });
  source.addEventListener('error', () => say('The connection is lost; trying again.'));
}
