type Child = Node | string | undefined;

/** An element with attributes and children. Text stays text: nothing is ever read as HTML. */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Readonly<Record<string, string | number | boolean | undefined>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? '' : `${value}`);
  }
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

export interface Column {
  readonly title: string;
  readonly align?: 'left';
}

/** A table with its numbers to the right. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly (string | Node)[])[],
  caption?: string,
): HTMLElement {
  const cells = (row: readonly (string | Node)[]) =>
    row.map((cell, i) =>
      i === 0
        ? h('th', { scope: 'row' }, cell)
        : h('td', { class: columns[i]?.align === 'left' ? 'left' : undefined }, cell),
    );
  return h(
    'div',
    { class: 'table', tabindex: 0, role: 'region', 'aria-label': caption ?? 'Table' },
    h(
      'table',
      {},
      caption === undefined ? undefined : h('caption', { class: 'unseen' }, caption),
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          ...columns.map(({ title, align }, i) =>
            h('th', { scope: 'col', class: i === 0 || align ? 'left' : undefined }, title),
          ),
        ),
      ),
      h('tbody', {}, ...rows.map((row) => h('tr', {}, ...cells(row)))),
    ),
  );
}

/** What a person chooses from; it keeps the choice when the choices change. */
export class Choice<Value extends string = string> {
  readonly element: HTMLElement;
  readonly #select: HTMLSelectElement;
  #choices = '';

  constructor(label: string, onChange: () => void) {
    this.#select = h('select');
    this.element = h('label', { class: 'choice' }, h('span', {}, label), this.#select);
    this.#select.addEventListener('change', onChange);
  }

  get value(): Value {
    return this.#select.value as Value;
  }

  /** @param preferred What is chosen until a person chooses. */
  offer(choices: readonly { readonly value: Value; readonly text: string }[], preferred?: Value): void {
    const text = JSON.stringify(choices);
    if (text === this.#choices) return;
    const first = this.#choices === '';
    const former = this.#select.value;
    this.#choices = text;
    this.#select.replaceChildren(...choices.map(({ value, text }) => h('option', { value }, text)));
    const wanted = first ? preferred : former;
    if (choices.some(({ value }) => value === wanted)) this.#select.value = wanted as string;
    this.element.hidden = choices.length < 2;
  }
}
