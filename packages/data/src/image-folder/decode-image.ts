import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { loadSharp } from '../load-sharp.ts';

export interface DecodeOptions {
  /** [height, width, channels] of what comes out; one channel is grey, three are sRGB. */
  readonly shape: readonly [height: number, width: number, channels: 1 | 3];
  readonly fit: 'crop' | 'stretch';
  /** More are refused before they are decoded. */
  readonly maxPixels: number;
}

/** More is no photograph. */
const MAX_FILE_BYTES = 2 ** 28;

/**
 * Decodes a JPEG, PNG or WebP file into `target`, height x width x channels bytes: turned as its EXIF orientation says, from any colour space
 * and depth to 8 bits, transparency on white; then scaled until its shorter side fits and cut in the centre, or stretched. Of an
 * animation it takes the first frame.
 *
 * @throws Error saying what is wrong with the file.
 */
export async function decodeImage(path: string, target: Uint8Array, options: DecodeOptions): Promise<void> {
  const [height, width, channels] = options.shape;
  const sharp = await loadSharp();
  const bytes = await readRegular(path);
  if (!hasKnownFormat(bytes)) throw new Error('it is no JPEG, PNG or WebP');
  const pixels = await sharp(bytes, { limitInputPixels: options.maxPixels, failOn: 'error', autoOrient: true })
    .flatten({ background: '#ffffff' })
    .resize(width, height, { fit: options.fit === 'crop' ? 'cover' : 'fill' })
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .raw({ depth: 'uchar' })
    .toBuffer();
  if (pixels.length !== target.length) {
    throw new Error(
      `expected ${target.length} values of ${height} x ${width} x ${channels}, but ${pixels.length} came`,
    );
  }
  target.set(pixels);
}

/** Links that have come after the folder was listed are not followed either. */
async function readRegular(path: string): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw new Error('it is no file');
    if (stats.size > MAX_FILE_BYTES) throw new Error(`it has more than ${MAX_FILE_BYTES / 2 ** 20} MB`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** By content: libvips would open much else, such as drawings that name other files. */
function hasKnownFormat(bytes: Buffer): boolean {
  const starts = (text: string, at = 0) => bytes.toString('latin1', at, at + text.length) === text;
  return starts('\xff\xd8\xff') || starts('\x89PNG\r\n\x1a\n') || (starts('RIFF') && starts('WEBP', 8));
}
