/** Colours of plots, as literals: they go into SVG files too, which know no style sheet. */
export interface Theme {
  readonly ink: string;
  readonly muted: string;
  readonly grid: string;
  readonly surface: string;
  /** What was there before; what is left. */
  readonly before: string;
  readonly track: string;
  readonly after: string;
  /** Classes that lost; what goes; guards and targets. */
  readonly paid: string;
  readonly gained: string;
  /** Trainings that follow each other, and runs next to each other. */
  readonly series: readonly string[];
  /** From nothing to the most. */
  readonly heat: readonly [string, string, string];
  /** From fewer to more. */
  readonly diverging: readonly [string, string, string];
}

export const THEMES: Readonly<Record<'light' | 'dark', Theme>> = {
  light: {
    ink: '#1f2328',
    muted: '#59636e',
    grid: '#d1d9e0',
    surface: '#ffffff',
    before: '#7b8590',
    track: '#d5dbe1',
    after: '#0f7a4d',
    paid: '#bc4c00',
    gained: '#0f7a4d',
    series: ['#0a63c9', '#bc4c00', '#0f7a4d', '#8250df', '#a8175e', '#6b5300'],
    heat: ['#f3f6f8', '#58a98a', '#00402a'],
    diverging: ['#0a63c9', '#f6f8fa', '#bc4c00'],
  },
  dark: {
    ink: '#e8edf2',
    muted: '#a3adb8',
    grid: '#343b45',
    surface: '#161b22',
    before: '#8d96a0',
    track: '#3a424d',
    after: '#3fc98a',
    paid: '#ff9a56',
    gained: '#3fc98a',
    series: ['#6cb0ff', '#ff9a56', '#3fc98a', '#c59bff', '#ff80bd', '#d9bf55'],
    heat: ['#1e252d', '#24805a', '#9df5cb'],
    diverging: ['#6cb0ff', '#1e252d', '#ff9a56'],
  },
};
