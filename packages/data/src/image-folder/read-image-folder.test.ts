import { cp, mkdir, mkdtemp, readdir, rename, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ImageFolderOptions, readImageFolder } from './read-image-folder.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'image-folder-'));
});
afterEach(() => rm(root, { recursive: true }));

type Colour = readonly [red: number, green: number, blue: number];

const plain = ([r, g, b]: Colour, width = 8, height = 6) =>
  sharp({ create: { width, height, channels: 3, background: { r, g, b } } });

async function write(path: string, content: Buffer | string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), content);
}

const png = async (path: string, colour: Colour) => write(path, await plain(colour).png().toBuffer());

/** A class of red and one of blue images; the red channel numbers them. */
async function writeTwoClasses(perClass: number, prefix = ''): Promise<void> {
  for (let index = 0; index < perClass; index++) {
    await png(`${prefix}red/${index}.png`, [200 + index, 0, 0]);
    await png(`${prefix}blue/${index}.png`, [index, 0, 255]);
  }
}

const read = (options: Partial<ImageFolderOptions> = {}) =>
  readImageFolder(root, { size: 4, cacheDir: false, ...options });

/** The first value of each image. */
const firsts = (data: { images: Uint8Array; labels: Int32Array; shape: readonly number[] }) =>
  Array.from(data.labels, (_, i) => data.images[i * data.shape[0]! * data.shape[1]! * data.shape[2]!]);

describe('splits', () => {
  it('takes class folders in the order of their names, and holds out a share of each class for the test', async () => {
    await writeTwoClasses(5);
    const { train, test, validation, skipped } = await read();
    expect(train.classNames).toEqual(['blue', 'red']);
    expect([train.shape, [...train.labels], [...test.labels]]).toEqual([
      [4, 4, 3],
      [0, 0, 0, 0, 1, 1, 1, 1],
      [0, 1],
    ]);
    expect([...firsts(train), ...firsts(test)].sort()).toEqual([0, 1, 2, 200, 201, 202, 203, 204, 3, 4]);
    expect([validation, skipped]).toEqual([undefined, []]);
    expect(firsts((await read()).test)).toEqual(firsts(test));
    const otherTests = await Promise.all([1, 2, 3].map(async (seed) => String(firsts((await read({ seed })).test))));
    expect(otherTests.some((held) => held !== String(firsts(test)))).toBe(true);
  });

  it.each(['val', 'validation'])('takes train, %s and test as they are', async (name) => {
    await writeTwoClasses(3, 'train/');
    await writeTwoClasses(2, `${name}/`);
    await png('test/red/deep/below/x.PNG', [77, 0, 0]);
    const { train, validation, test } = await read();
    expect(firsts(train)).toEqual([0, 1, 2, 200, 201, 202]);
    expect([firsts(validation!), [...validation!.labels]]).toEqual([
      [0, 1, 200, 201],
      [0, 0, 1, 1],
    ]);
    expect([firsts(test), [...test.labels], test.classNames]).toEqual([[77], [1], ['blue', 'red']]);
  });

  it('holds out of train where there is no test', async () => {
    await writeTwoClasses(4, 'train/');
    const { train, test } = await read({ testFraction: 0.5 });
    expect([train.labels.length, [...test.labels]]).toEqual([4, [0, 0, 1, 1]]);
  });

  it('knows a class named train from a folder of training images', async () => {
    await png('train/a.png', [1, 0, 0]);
    await png('train/b.png', [2, 0, 0]);
    await png('boat/a.png', [3, 0, 0]);
    await png('boat/b.png', [4, 0, 0]);
    expect((await read({ testFraction: 0.5 })).train.classNames).toEqual(['boat', 'train']);
  });

  it('passes over hidden entries and other files', async () => {
    await writeTwoClasses(5);
    await write('red/.hidden.png', 'x');
    await write('.git/config', 'x');
    await write('red/notes.txt', 'x');
    await write('README.md', 'x');
    const { train, skipped } = await read();
    expect([train.labels.length, skipped]).toEqual([8, []]);
  });
});

describe('decoding', () => {
  /** What becomes of one file, next to a good one of another class. */
  async function decode(name: string, content: Buffer, options: Partial<ImageFolderOptions> = {}): Promise<number[]> {
    await rm(join(root, 'train', 'a'), { recursive: true, force: true });
    await write(`train/a/${name}`, content);
    await png('train/b/b.png', [0, 0, 0]);
    await png('test/b/b.png', [0, 0, 0]);
    const { train } = await read({ maxCorrupt: 0, ...options });
    return [...train.images.subarray(0, train.images.length / 2)];
  }
  const near = (pixels: number[], colour: readonly number[], by = 2) => {
    for (const [index, value] of pixels.entries()) {
      expect(Math.abs(value - colour[index % colour.length]!), `value ${index}: ${value}`).toBeLessThanOrEqual(by);
    }
  };

  it.each(['jpeg', 'png', 'webp'] as const)('reads %s files', async (format) => {
    const pixels = await decode(
      `x.${format}`,
      await plain([128, 64, 32]).toFormat(format, { quality: 100 }).toBuffer(),
    );
    expect(pixels).toHaveLength(48);
    near(pixels, [128, 64, 32], 4);
  });

  it('reads grey, 16 bits, CMYK and palettes as sRGB', async () => {
    const grey = sharp({ create: { width: 8, height: 6, channels: 3, background: '#808080' } });
    near(await decode('x.png', await grey.clone().toColourspace('b-w').png().toBuffer()), [128]);
    near(await decode('x.png', await grey.clone().toColourspace('grey16').png().toBuffer()), [128]);
    near(await decode('x.png', await plain([128, 64, 32]).toColourspace('rgb16').png().toBuffer()), [128, 64, 32]);
    near(await decode('x.jpg', await plain([128, 64, 32]).toColourspace('cmyk').jpeg().toBuffer()), [128, 64, 32], 40);
    near(await decode('x.png', await plain([128, 64, 32]).png({ palette: true }).toBuffer()), [128, 64, 32]);
  });

  it('gives grey for one channel', async () => {
    const pixels = await decode('x.png', await plain([90, 90, 90]).png().toBuffer(), { channels: 1 });
    expect(pixels).toEqual(new Array(16).fill(90));
  });

  it('puts transparency on white', async () => {
    const half = sharp({ create: { width: 8, height: 8, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0.5 } } });
    near(await decode('x.png', await half.png().toBuffer()), [127]);
  });

  it('turns images as EXIF says', async () => {
    // Black on the left, white on the right; to be turned clockwise: black on top.
    const halves = Uint8Array.from({ length: 8 * 8 * 3 }, (_, i) => (Math.floor(i / 3) % 8 < 4 ? 0 : 255));
    const turned = await sharp(halves, { raw: { width: 8, height: 8, channels: 3 } })
      .withMetadata({ orientation: 6 })
      .png()
      .toBuffer();
    const pixels = await decode('x.png', turned, { size: [2, 1] });
    near(pixels.slice(0, 3), [0], 20);
    near(pixels.slice(3), [255], 20);
  });

  it('crops the centre, or stretches', async () => {
    // Red, green and blue thirds from left to right.
    const thirds = Uint8Array.from({ length: 12 * 4 * 3 }, (_, i) =>
      Math.floor((Math.floor(i / 3) % 12) / 4) === i % 3 ? 255 : 0,
    );
    const wide = await sharp(thirds, { raw: { width: 12, height: 4, channels: 3 } })
      .png()
      .toBuffer();
    near(await decode('x.png', wide, { size: 4 }), [0, 255, 0]);
    const stretched = await decode('x.png', wide, { size: [1, 3], fit: 'stretch' });
    for (const third of [0, 1, 2]) expect(stretched[4 * third]).toBeGreaterThan(200);
  });
});

describe('files that cannot be decoded', () => {
  it('are listed and skipped, and the others stay in order', async () => {
    await writeTwoClasses(4, 'train/');
    await png('test/red/1.png', [1, 2, 3]);
    await write('train/blue/1.png', 'no image');
    await write('train/red/2.png', '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
    const jpeg = await sharp(Buffer.from(Uint8Array.from({ length: 30000 }, (_, i) => (i * 7919) % 251)), {
      raw: { width: 100, height: 100, channels: 3 },
    })
      .jpeg()
      .toBuffer();
    await write('train/red/cut.jpg', jpeg.subarray(0, jpeg.length / 2));
    await write('train/red/empty.webp', '');
    const { train, skipped } = await read();
    expect(firsts(train)).toEqual([0, 2, 3, 200, 201, 203]);
    expect([...train.labels]).toEqual([0, 0, 0, 1, 1, 1]);
    expect(skipped.map(({ file }) => file)).toEqual([
      'train/blue/1.png',
      'train/red/2.png',
      'train/red/cut.jpg',
      'train/red/empty.webp',
    ]);
    expect(skipped[1]!.reason).toBe('it is no JPEG, PNG or WebP');
    expect(skipped[2]!.reason).toMatch(/premature end/i);
    await expect(read({ maxCorrupt: 3 })).rejects.toThrow(
      /At least 4 of 11 images in .* cannot be decoded, more than the 3 allowed: train\/blue\/1\.png \(it is no JPEG, PNG or WebP\),.* and 1 more\. Mend or remove them/,
    );
  });

  it('each have their own reason, however many are decoded at once', async () => {
    await writeTwoClasses(1, 'train/');
    await png('test/red/1.png', [1, 2, 3]);
    const noise = sharp(Buffer.from(Uint8Array.from({ length: 3000 }, (_, i) => (i * 7919) % 251)), {
      raw: { width: 50, height: 20, channels: 3 },
    });
    const [jpeg, webp] = await Promise.all([noise.clone().jpeg().toBuffer(), noise.clone().webp().toBuffer()]);
    for (let i = 0; i < 30; i++) {
      await write(`train/red/cut${i}.jpg`, jpeg.subarray(0, jpeg.length / 2));
      await write(`train/red/cut${i}.webp`, webp.subarray(0, 20));
    }
    const { skipped } = await read({ maxCorrupt: 60 });
    expect(skipped).toHaveLength(60);
    for (const { file, reason } of skipped) {
      expect(reason, file).toMatch(file.endsWith('.jpg') ? /^VipsJpeg: premature end/ : /webp/i);
    }
  });

  it('leave no class without training images', async () => {
    await writeTwoClasses(2, 'train/');
    await png('test/red/1.png', [1, 2, 3]);
    for (const index of [0, 1]) await write(`train/blue/${index}.png`, '');
    await expect(read()).rejects.toThrow("The class 'blue' has no JPEG, PNG or WebP images in the training images");
  });

  it('count if they have more pixels than allowed, however small the file', async () => {
    await writeTwoClasses(5);
    await write('red/bomb.png', await plain([9, 9, 9], 4000, 3000).png().toBuffer());
    const { skipped } = await read({ maxPixels: 1e6 });
    expect(skipped).toEqual([{ file: 'red/bomb.png', reason: 'it has more than 1000000 pixels' }]);
  });

  it('are named without what would steer a terminal', async () => {
    await writeTwoClasses(5, 'train/');
    await png('test/red/1.png', [1, 2, 3]);
    await write('train/red/\u001b[2J.png', '');
    expect((await read()).skipped[0]!.file).toBe('train/red/\\u001b[2J.png');
  });
});

describe('refusals', () => {
  const refused = (message: string | RegExp, options: Partial<ImageFolderOptions> = {}) =>
    expect(read(options)).rejects.toThrow(message);

  it('of what is no folder', async () => {
    await write('file', 'x');
    await expect(readImageFolder(join(root, 'file'), { size: 4 })).rejects.toThrow(/cannot be read: it is no folder\./);
    await expect(readImageFolder(join(root, 'no'), { size: 4 })).rejects.toThrow(
      /cannot be read: there is no such folder\./,
    );
  });

  it('of too few classes, and of classes without images', async () => {
    await refused(/holds no class folders\. Expected a sub-folder for each class/);
    await png('loose.png', [1, 1, 1]);
    await refused(/holds 1 images but no class folders/);
    await png('cat/a.png', [1, 1, 1]);
    await refused(/has the one class 'cat'/);
    await mkdir(join(root, 'dog'));
    await refused(/The class 'dog' has no JPEG, PNG or WebP images in the folder/);
    await png('dog/a.png', [1, 1, 1]);
    await refused(/Expected testFraction to hold out at least one image/);
  });

  it('of folders that fit no form', async () => {
    await writeTwoClasses(2, 'train/');
    await png('extra/a.png', [1, 1, 1]);
    await refused(/has 'extra' beside 'train'/);
    await rename(join(root, 'extra'), join(root, 'test'));
    await refused(/has no JPEG, PNG or WebP images in class folders/);
    await png('test/green/a.png', [0, 9, 0]);
    await refused(/has the class 'green', which 'train' does not have\. Its classes are: blue, red\./);
    await rename(join(root, 'test', 'green'), join(root, 'test', 'red'));
    await writeTwoClasses(1, 'val/');
    await writeTwoClasses(1, 'validation/');
    await refused(/has both 'val' and 'validation'/);
  });

  it('of links', async () => {
    await writeTwoClasses(5);
    await symlink('/etc/passwd', join(root, 'red', 'link.png'));
    await refused(/link\.png is a symbolic link, which may lead out of the image folder/);
    await rm(join(root, 'red', 'link.png'));
    await symlink('/etc', join(root, 'outside'));
    await refused(/outside is a symbolic link/);
  });

  it('of class names that would steer a terminal', async () => {
    await writeTwoClasses(5);
    await png('\u001b[31m/a.png', [1, 1, 1]);
    await refused(/control characters in its name, '\\u001b\[31m'\. Rename it/);
  });

  it('of more than may be in memory, before anything is decoded', async () => {
    await writeTwoClasses(5);
    await refused('10 images of 4 x 4 x 3 take 1 MiB in memory, more than the 1 MiB allowed.', { maxBytes: 479 });
    expect((await read({ maxBytes: 480 })).train.labels).toHaveLength(8);
  });

  it.each([
    [{ size: 0 }, 'size must be a whole number'],
    [{ size: [4, 1.5] as const }, 'size must be a whole number'],
    [{ channels: 4 as 3 }, 'channels must be 1 or 3'],
    [{ fit: 'pad' as 'crop' }, "fit must be 'crop' or 'stretch'"],
    [{ testFraction: 1 }, 'testFraction must be between 0 and 1'],
    [{ maxCorrupt: -1 }, 'maxCorrupt must be'],
    [{ maxPixels: 0 }, 'maxPixels must be'],
    [{ maxBytes: 0 }, 'maxBytes must be'],
    [{ seed: -1 }, 'seed must be'],
  ])('of the option %o', (options, message) => refused(message, options));
});

describe('the cache', () => {
  let cacheDir: string;
  beforeEach(async () => {
    cacheDir = join(await mkdtemp(join(tmpdir(), 'image-cache-')), 'folders');
  });
  afterEach(() => rm(dirname(cacheDir), { recursive: true }));

  /** Whether images had to be decoded, and which. */
  async function cached(options: Partial<ImageFolderOptions> = {}) {
    let decoded = false;
    const onProgress = () => {
      decoded = true;
    };
    return { ...(await read({ cacheDir, onProgress, ...options })), decoded };
  }

  it('gives the same images without decoding them again', async () => {
    await writeTwoClasses(3, 'train/');
    await writeTwoClasses(1, 'val/');
    await writeTwoClasses(1, 'test/');
    await write('train/red/bad.png', 'x');
    const { decoded, ...first } = await cached();
    const { decoded: again, ...second } = await cached();
    expect([decoded, again]).toEqual([true, false]);
    expect(second).toEqual(first);
    expect(second.skipped).toHaveLength(1);
    await expect(cached({ maxCorrupt: 0 })).rejects.toThrow(/more than the 0 allowed/);
  });

  it('is passed over when a file, an option or the split has changed, or it is damaged', async () => {
    await writeTwoClasses(5);
    await cached();
    await png('red/0.png', [111, 0, 0]);
    await utimes(join(root, 'red', '0.png'), 1, 1);
    const changed = await cached();
    expect([changed.decoded, [...firsts(changed.train), ...firsts(changed.test)].includes(111)]).toEqual([true, true]);
    expect((await cached({ seed: 1, testFraction: 0.4 })).decoded).toBe(true);
    expect((await cached({ fit: 'stretch' })).decoded).toBe(true);
    expect((await cached({ size: 5 })).train.shape).toEqual([5, 5, 3]);
    await cached();
    for (const entry of await readdir(cacheDir)) await truncate(join(cacheDir, entry, 'train-images.bin'), 7);
    expect((await cached()).decoded).toBe(true);
    expect((await cached()).decoded).toBe(false);
  });

  it('is done without where it cannot be written', async () => {
    await writeTwoClasses(5);
    await cp(join(root, 'red', '0.png'), cacheDir);
    expect((await cached()).train.labels).toHaveLength(8);
  });
});

it('ends when it is told to', async () => {
  await writeTwoClasses(5);
  const controller = new AbortController();
  const reading = read({ signal: controller.signal, onProgress: () => controller.abort(new Error('enough')) });
  await expect(reading).rejects.toThrow('enough');
});
