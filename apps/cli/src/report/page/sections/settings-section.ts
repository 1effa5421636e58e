import { wallTime } from '../../../terminal/format.ts';
import type { RunReport } from '../../run-report.ts';
import { h, table } from '../dom.ts';
import { type Section, sectionElement } from '../section.ts';
import { flatten } from '../story.ts';

/** All that decided the run, and how long its parts took. */
export function settingsSection(): Section {
  const body = h('div', { class: 'columns' });
  return {
    id: 'settings',
    title: 'Settings',
    element: sectionElement('settings', 'Settings', body),
    needs: ['config', 'parts', 'startedAt', 'resumed', 'data'],
    show(run) {
      body.replaceChildren(facts(run), times(run));
      body.append(h('details', { class: 'wide' }, h('summary', {}, 'All of config.json'), configTable(run.config)));
      return true;
    },
  };
}

function facts({ config, startedAt, resumed, data, network, name }: RunReport): HTMLElement {
  const file = config as Readonly<Record<string, unknown>>;
  const all = new Map(flatten(config));
  const commandLine = Array.isArray(file.commandLine) ? `secateur ${file.commandLine.join(' ')}` : undefined;
  const rows = [
    ['folder', name],
    ['command', commandLine],
    ['preset', all.get('preset')],
    ['started', startedAt],
    ['resumed', resumed === undefined ? undefined : resumed === 1 ? 'once' : `${resumed} times`],
    ['network', network],
    ['data', data],
    ['seed', all.get('config.seed') ?? all.get('seed')],
    ['criterion', all.get('config.criterion.kind')],
    ['precision', all.get('config.precision')],
    ['engine', [all.get('engine.name'), all.get('engine.description')].filter(Boolean).join(', ') || undefined],
    ['threads', all.get('engine.threads')],
    ['versions', versions(all)],
  ].flatMap(([title, value]) => (value === undefined || value === '' ? [] : [[title!, value] as const]));
  return h(
    'div',
    { class: 'block' },
    h('h3', {}, 'Run'),
    h('dl', {}, ...rows.flatMap(([title, value]) => [h('dt', {}, title), h('dd', {}, value)])),
  );
}

function versions(all: ReadonlyMap<string, string>): string {
  return [...all]
    .filter(([name]) => /(^|\.)versions\./.test(name))
    .map(([name, value]) => `${name.split('.').at(-1)} ${value}`)
    .join(', ');
}

function times({ parts }: RunReport): HTMLElement {
  const rows = Object.entries(parts)
    .filter(([part]) => part !== 'afterData')
    .map(([part, seconds]) => [part, seconds < 60 ? `${seconds.toFixed(1)} s` : wallTime(seconds)]);
  return h(
    'div',
    { class: 'block' },
    h('h3', {}, 'Wall time'),
    rows.length > 0
      ? table([{ title: 'part' }, { title: 'time' }], rows, 'Wall time by part')
      : h('p', {}, 'Known once the run has finished.'),
  );
}

function configTable(config: unknown): HTMLElement {
  return table([{ title: 'key' }, { title: 'value', align: 'left' }], flatten(config), 'Configuration');
}
