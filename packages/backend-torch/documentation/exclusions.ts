// Examples that do not run in Node on any backend. One that does after all, and a line that no example matches, fail the run.
import type { Example } from './examples.ts';

export interface Exclusion {
  readonly matches: (example: Example) => boolean;
  readonly reason: string;
}

const uses = (pattern: RegExp) => (example: Example) => pattern.test(example.code);
const isIn = (pattern: RegExp) => (example: Example) => pattern.test(example.name);

export const EXCLUSIONS: readonly Exclusion[] = [
  { matches: uses(/\bdocument\b|(localstorage|indexeddb|downloads):/), reason: "needs a browser's page or storage" },
  { matches: uses(/\bImageData\b|\bwebgpu\b/), reason: "needs a browser's images or GPU" },
  { matches: uses(/https?:/), reason: 'needs a server' },
  { matches: uses(/\btf\.data\./), reason: 'needs tfjs-data, another package' },
  { matches: isIn(/core\/serialization/), reason: 'calls functions that tfjs-core does not export under these names' },
  { matches: isIn(/layers\/nlp/), reason: 'calls classes that tfjs-layers does not export, some in TypeScript' },
  { matches: isIn(/io\/(passthrough|weights_loader)/), reason: 'a fragment that reads names of a program around it' },
  { matches: isIn(/^tfjs-layers\/models 1[345]$/), reason: 'a fragment: the shape of a value' },
  { matches: isIn(/^tfjs-layers\/engine\/training 6$/), reason: 'a comment breaks into its code' },
];

/** Examples that print the time that they took, or that it is. */
export const CLOCKS: readonly string[] = ['tfjs-core/globals 4', 'tfjs-core/util 1'];
