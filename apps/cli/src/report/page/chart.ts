import { currentTheme, onThemeChange } from './current-theme.ts';
import { h } from './dom.ts';
import type { Drawing, Frame, Stop } from './plots/frame.ts';

export interface ChartParts {
  readonly title: string;
  /** How to read it, or what it says. */
  readonly caption?: string;
  readonly legend?: readonly {
    readonly colour: string;
    readonly text: string;
    readonly shape?: 'ring' | 'line' | 'dash' | 'ramp';
  }[];
  readonly draw: (frame: Frame) => Drawing;
  /** The same as numbers. */
  readonly table?: () => HTMLElement;
}

const LEAST_WIDTH = 260;

/** A plot with title, caption and a table of its numbers; drawn anew when its place, its content or the theme changes. */
export class Chart {
  readonly element: HTMLElement;
  readonly #title = h('h3');
  readonly #controls = h('div', { class: 'controls' });
  readonly #legend = h('ul', { class: 'legend' });
  readonly #canvas = h('div', { class: 'canvas', tabindex: 0 });
  readonly #caption = h('figcaption');
  readonly #said = h('p', { class: 'said', 'aria-live': 'polite' });
  readonly #table = h('details', { class: 'numbers' }, h('summary', {}, 'As a table'));
  #parts: ChartParts | undefined;
  #drawing: Drawing | undefined;
  #width = 0;
  #stop = -1;

  constructor(...controls: readonly HTMLElement[]) {
    this.#controls.append(...controls);
    this.element = h(
      'figure',
      {},
      h('div', { class: 'title' }, this.#title, this.#controls),
      this.#legend,
      this.#canvas,
      this.#said,
      this.#caption,
      this.#table,
    );
    new ResizeObserver(() => this.#resize()).observe(this.#canvas);
    onThemeChange(() => this.#draw());
    this.#table.addEventListener('toggle', () => this.#fillTable());
    this.#canvas.addEventListener('keydown', (event) => this.#move(event));
    this.#canvas.addEventListener('blur', () => this.#leave());
  }

  show(parts: ChartParts): void {
    this.#parts = parts;
    this.#title.textContent = parts.title;
    this.#caption.textContent = parts.caption ?? '';
    this.#caption.hidden = !parts.caption;
    this.#table.hidden = !parts.table;
    this.#fillTable();
    this.#draw();
  }

  #resize(): void {
    const width = Math.max(LEAST_WIDTH, Math.floor(this.#canvas.clientWidth));
    if (width === this.#width) return;
    this.#width = width;
    this.#draw();
  }

  #draw(): void {
    if (!this.#parts || this.#width === 0) return;
    const theme = currentTheme();
    this.#drawing = this.#parts.draw({ width: this.#width, theme });
    this.#canvas.replaceChildren(this.#drawing.svg);
    const label = this.#drawing.svg.getAttribute('aria-label') ?? this.#parts.title;
    const keys = this.#drawing.stops?.length ? ' Arrow keys read single values.' : '';
    this.#canvas.setAttribute('aria-label', `${label}.${keys}`);
    this.#canvas.setAttribute('role', 'group');
    this.#stop = -1;
    this.#legend.replaceChildren(
      ...(this.#parts.legend ?? []).map(({ colour, text, shape = 'dot' }) => {
        const mark = h('span', { class: `mark ${shape}` });
        mark.style.setProperty('--colour', colour);
        return h('li', {}, mark, text);
      }),
    );
    this.#legend.hidden = !this.#parts.legend?.length;
  }

  #fillTable(): void {
    this.#table.querySelector('.table')?.remove();
    if (this.#table.open && this.#parts?.table) this.#table.append(this.#parts.table());
  }

  #move(event: KeyboardEvent): void {
    const { stops = [], stopsPerRow = stops.length } = this.#drawing ?? {};
    const next = nextStop(event.key, this.#stop, { count: stops.length, perRow: stopsPerRow });
    if (next === undefined) {
      if (event.key === 'Escape') this.#leave();
      return;
    }
    event.preventDefault();
    this.#stop = next;
    const stop = stops[next]!;
    this.#point(stop);
    this.#said.textContent = stop.text.replaceAll('\n', ', ');
  }

  /** Plots know a pointer only. */
  #point({ x, y }: Stop): void {
    const { svg } = this.#drawing!;
    const box = svg.getBoundingClientRect();
    const scale = box.width / svg.viewBox.baseVal.width;
    const place = { clientX: box.left + x * scale, clientY: box.top + y * scale, pointerType: 'mouse', bubbles: true };
    svg.dispatchEvent(new PointerEvent('pointermove', place));
  }

  #leave(): void {
    if (this.#stop < 0) return;
    this.#stop = -1;
    this.#said.textContent = '';
    this.#drawing?.svg.dispatchEvent(new PointerEvent('pointerleave', { pointerType: 'mouse' }));
  }
}

/** Where a key leads from stop `from`, -1 being before the first; undefined for keys that lead nowhere. */
export function nextStop(
  key: string,
  from: number,
  { count, perRow }: { count: number; perRow: number },
): number | undefined {
  if (count === 0) return undefined;
  const steps: Readonly<Record<string, number>> = {
    ArrowRight: 1,
    ArrowLeft: -1,
    ArrowDown: perRow < count ? perRow : 1,
    ArrowUp: perRow < count ? -perRow : -1,
  };
  if (key === 'Home') return 0;
  if (key === 'End') return count - 1;
  const step = steps[key];
  if (step === undefined) return undefined;
  if (from < 0) return 0;
  const next = from + step;
  return next >= 0 && next < count ? next : from;
}
