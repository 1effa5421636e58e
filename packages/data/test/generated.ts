import type { LabelledImages } from '@secateur/data';

export interface GeneratedOptions {
  readonly count: number;
  readonly classes?: number;
  readonly shape?: readonly [number, number, number];
}

/** Images whose every pixel differs from its neighbours', labelled 0, 1, 2 ... in turn. */
export function generateImages({ count, classes = 3, shape = [4, 5, 3] }: GeneratedOptions): LabelledImages {
  const images = Uint8Array.from(
    { length: count * shape[0] * shape[1] * shape[2] },
    (_, i) => (i * 37 + (i >> 8)) % 256,
  );
  const labels = Int32Array.from({ length: count }, (_, image) => image % classes);
  const classNames = Array.from({ length: classes }, (_, label) => `class ${label}`);
  return { images, labels, shape, classNames };
}
