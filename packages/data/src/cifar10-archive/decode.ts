import { loadSharp } from '../load-sharp.ts';

const IMAGE_PIXELS = 32 * 32;

export interface SheetTarget {
  /** Name of the sheet, for messages. */
  readonly name: string;
  /** Number of images, one a row. */
  readonly images: number;
}

/**
 * Decodes a PNG sheet, each row of which is one 32 x 32 RGB image, into `target`.
 *
 * @throws Error if the file is damaged, or not of that size and kind.
 */
export async function decodeSheet(png: Buffer, target: Uint8Array, { name, images }: SheetTarget): Promise<void> {
  const expected = `an RGB PNG of ${IMAGE_PIXELS} x ${images} pixels with 8 bits a channel`;
  const sharp = await loadSharp();
  try {
    const { format, width, height, channels, depth } = await sharp(png).metadata();
    if (format !== 'png' || width !== IMAGE_PIXELS || height !== images || channels !== 3 || depth !== 'uchar') {
      throw new Error(`it is a ${format} of ${width} x ${height} pixels with ${channels} channels of type ${depth}`);
    }
    const sheet = sharp(png, { limitInputPixels: IMAGE_PIXELS * images, failOn: 'warning' });
    target.set(await sheet.raw().toBuffer());
  } catch (error) {
    throw new Error(`${name}: expected ${expected}, but ${(error as Error).message}.`, { cause: error });
  }
}

/**
 * Reads a JSON list of class indices into `target`, one for each image.
 *
 * @throws Error if it is no such list, has another length, or names a class that there is not.
 */
export function decodeLabels(
  json: Buffer,
  target: Int32Array,
  { name, classes }: { name: string; classes: number },
): void {
  let labels: unknown;
  try {
    labels = JSON.parse(json.toString('utf8'));
  } catch (error) {
    throw new Error(`${name}: expected a JSON list of class indices, but ${(error as Error).message}.`, {
      cause: error,
    });
  }
  if (!Array.isArray(labels) || labels.length !== target.length) {
    const got = Array.isArray(labels) ? `${labels.length}` : `a JSON ${typeof labels}`;
    throw new Error(`${name}: expected a list of ${target.length} class indices, got ${got}.`);
  }
  for (const [image, label] of labels.entries()) {
    if (!Number.isInteger(label) || label < 0 || label >= classes) {
      throw new Error(
        `${name}: the label of image ${image} must be an integer from 0 to ${classes - 1}, got ${JSON.stringify(label)}.`,
      );
    }
    target[image] = label;
  }
}
