import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Cifar10Archive } from '@secateur/data';
import sharp from 'sharp';
import { type Header, pack } from 'tar-stream';

export const IMAGES_PER_SHEET = 3;

export interface Entry {
  readonly header: Partial<Header> & Pick<Header, 'name'>;
  readonly content?: string | Buffer;
}

/** The value of every pixel of image `row` of sheet number `sheet`. */
export const pixelOf = (sheet: number, row: number): number[] => [sheet * 10 + row, 100 + sheet, 200];

export async function sheetPng(sheet: number, width = 1024, height = IMAGES_PER_SHEET): Promise<Buffer> {
  const pixels = Array.from({ length: height }, (_, row) => new Array(width).fill(pixelOf(sheet, row)).flat()).flat();
  return sharp(Buffer.from(pixels), { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}

/** The entries of an archive laid out as the real one, five training sheets (numbers 1 to 5) and a test sheet (6). */
export async function goodEntries(): Promise<Map<string, Entry>> {
  const entries = new Map<string, Entry>();
  const add = (name: string, content: string | Buffer) => entries.set(name, { header: { name }, content });
  add('package/package.json', '{}');
  for (const batch of [1, 2, 3, 4, 5]) add(`package/data_batch_${batch}.png`, await sheetPng(batch));
  add('package/test_batch.png', await sheetPng(6));
  add('package/train_lables.json', JSON.stringify([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4]));
  add('package/test_lables.json', JSON.stringify([9, 8, 7]));
  return entries;
}

/** Writes a .tgz, and describes it with its true checksum. */
export async function writeArchive(file: string, entries: Iterable<Entry>): Promise<Cifar10Archive> {
  const tar = pack();
  const output = createWriteStream(file);
  const writing = pipeline(tar, createGzip(), output);
  for (const { header, content } of entries) {
    if (content === undefined) tar.entry(header);
    else await once(tar.entry({ ...header, size: content.length }).end(content), 'finish');
  }
  tar.finalize();
  await writing;
  return describe(file);
}

export async function describe(file: string): Promise<Cifar10Archive> {
  const integrity = `sha512-${createHash('sha512')
    .update(await readFile(file))
    .digest('base64')}`;
  return { source: { file }, integrity, bytes: (await stat(file)).size, imagesPerSheet: IMAGES_PER_SHEET };
}
