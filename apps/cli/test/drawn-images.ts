import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';

const SHAPES = {
  circle: '<circle cx="50" cy="50" r="40" fill="#d03028"/>',
  square: '<rect x="12" y="12" width="76" height="76" fill="#30a040"/>',
  triangle: '<path d="M50 8 L92 90 L8 90 Z" fill="#2840d0"/>',
};

export interface DrawnOptions {
  readonly perClass?: number;
  /** What the folders of the shapes are called, in place of their names. */
  readonly names?: Readonly<Partial<Record<keyof typeof SHAPES, string>>>;
}

/**
 * Draws circles, squares and triangles of many places, sizes and greys of the ground, as JPEG, PNG and WebP files of several sizes, into a folder
 * with a sub-folder for each shape. The same images each time.
 */
export async function drawImages(folder: string, { perClass = 30, names = {} }: DrawnOptions = {}): Promise<void> {
  for (const [label, [name, shape]] of Object.entries(SHAPES).entries()) {
    const directory = join(folder, names[name as keyof typeof SHAPES] ?? name);
    await mkdir(directory, { recursive: true });
    for (let index = 0; index < perClass; index++) {
      // Multiples of the golden ratio spread evenly.
      const spread = (factor: number) => ((index + 1) * 0.618034 * factor + label * 0.37) % 1;
      const [width, height] = [40 + Math.floor(40 * spread(1)), 40 + Math.floor(40 * spread(2.3))];
      const [x, y, scale] = [30 * spread(3.1), 30 * spread(4.7), 0.4 + 0.3 * spread(5.9)];
      const ground = 120 + Math.floor(130 * spread(7.3));
      const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 100 100" preserveAspectRatio="none">
        <rect width="100" height="100" fill="rgb(${ground},${ground},${ground})"/>
        <g transform="translate(${x} ${y}) scale(${scale})">${shape}</g></svg>`;
      const format = (['jpeg', 'png', 'webp'] as const)[index % 3]!;
      await sharp(Buffer.from(svg))
        .toFormat(format)
        .toFile(join(directory, `${index}.${format}`));
    }
  }
}
