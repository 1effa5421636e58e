import { THEMES, type Theme } from './theme.ts';

const ORDER = ['auto', 'light', 'dark'] as const;
export type ThemeChoice = (typeof ORDER)[number];

const prefersDark = matchMedia('(prefers-color-scheme: dark)');
const listeners: (() => void)[] = [];
let choice: ThemeChoice = 'auto';

prefersDark.addEventListener('change', announce);

export function currentTheme(): Theme {
  return THEMES[isDark() ? 'dark' : 'light'];
}

export function onThemeChange(listener: () => void): void {
  listeners.push(listener);
}

/** Goes from what the system says to light, to dark, and back. */
export function nextTheme(): ThemeChoice {
  choice = ORDER[(ORDER.indexOf(choice) + 1) % ORDER.length]!;
  announce();
  return choice;
}

function announce(): void {
  document.documentElement.dataset.theme = isDark() ? 'dark' : 'light';
  for (const listener of listeners) listener();
}

function isDark(): boolean {
  return choice === 'auto' ? prefersDark.matches : choice === 'dark';
}

document.documentElement.dataset.theme = isDark() ? 'dark' : 'light';
