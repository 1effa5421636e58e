import { parseHTML } from 'linkedom';
import type { Drawing, Frame } from '../page/plots/frame.ts';
import type { Theme } from '../page/theme.ts';

export interface LegendEntry {
  readonly colour: string;
  readonly text: string;
}

/** A picture of its own: a title, what colours mean, and plots or texts below. */
export class Sheet {
  readonly #document: Document;
  readonly #root: SVGElement;
  readonly #theme: Theme;
  readonly #width: number;

  constructor(title: string, { width, theme }: { width: number; theme: Theme }) {
    this.#document = parseHTML('<!doctype html><html><body></body></html>').document as unknown as Document;
    this.#theme = theme;
    this.#width = width;
    this.#root = this.#element('svg', {
      xmlns: 'http://www.w3.org/2000/svg',
      'font-family': 'system-ui, sans-serif',
      role: 'img',
      'aria-label': title,
    });
    this.#root.append(this.#element('rect', { width: '100%', height: '100%', rx: 8, fill: theme.surface }));
    this.text(title, { x: 20, y: 32, size: 16, weight: 600 });
  }

  text(
    content: string,
    {
      x,
      y,
      size = 13,
      weight = 400,
      fill = this.#theme.ink,
    }: { x: number; y: number; size?: number; weight?: number; fill?: string },
  ): void {
    const text = this.#element('text', { x, y, 'font-size': size, 'font-weight': weight, fill });
    text.textContent = content;
    this.#root.append(text);
  }

  legend(entries: readonly LegendEntry[], { x, y }: { x: number; y: number }): void {
    let left = x;
    for (const { colour, text } of entries) {
      this.#root.append(this.#element('rect', { x: left, y: y - 10, width: 11, height: 11, rx: 2.5, fill: colour }));
      this.text(text, { x: left + 16, y, size: 12, fill: this.#theme.muted });
      left += 34 + 6.6 * text.length;
    }
  }

  /** @returns Its height. */
  plot(draw: (frame: Frame) => Drawing, { x, y, width }: { x: number; y: number; width: number }): number {
    const { svg } = draw({ width, theme: this.#theme, document: this.#document });
    svg.setAttribute('x', `${x}`);
    svg.setAttribute('y', `${y}`);
    // Viewers that are no browsers read the attribute alone.
    for (const node of svg.querySelectorAll('style')) node.remove();
    for (const tip of svg.querySelectorAll('[aria-label="tip"]')) tip.remove();
    this.#root.append(svg);
    return Number(svg.getAttribute('height'));
  }

  toSvg(height: number): string {
    this.#root.setAttribute('viewBox', `0 0 ${this.#width} ${height}`);
    this.#root.setAttribute('width', `${this.#width}`);
    this.#root.setAttribute('height', `${height}`);
    return `${this.#root.outerHTML}\n`;
  }

  #element(name: string, attributes: Readonly<Record<string, string | number>>): SVGElement {
    const element = this.#document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, `${value}`);
    return element;
  }
}
