import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PLANE = 32 * 32;

/**
 * A folder in the official binary format of CIFAR-10 with a few images whose class is easy to see: each class has a colour
 * and a direction of stripes of its own.
 *
 * @param perFile Images of each class in each of the five training files and in the test file.
 */
export async function writeTinyCifar10({ perFile = 5 }: { perFile?: number } = {}): Promise<string> {
  const directory = join(await mkdtemp(join(tmpdir(), 'secateur-data-')), 'cifar-10-batches-bin');
  await mkdir(directory);
  const names = [1, 2, 3, 4, 5].map((batch) => `data_batch_${batch}.bin`);
  for (const [index, name] of [...names, 'test_batch.bin'].entries()) {
    const records = Array.from({ length: 10 * perFile }, (_, i) => record(i % 10, 1000 * index + i));
    await writeFile(join(directory, name), Buffer.concat(records));
  }
  return directory;
}

function record(label: number, variant: number): Buffer {
  const bytes = Buffer.alloc(1 + 3 * PLANE);
  bytes[0] = label;
  for (let channel = 0; channel < 3; channel++) {
    for (let pixel = 0; pixel < PLANE; pixel++) {
      const across = label % 2 === 0 ? pixel % 32 : Math.floor(pixel / 32);
      const stripe = (across + variant) % 8 < 4 ? 60 : 0;
      const colour = (label * (channel + 3) * 29) % 160;
      bytes[1 + channel * PLANE + pixel] = colour + stripe + ((pixel * 7 + variant * 13) % 30);
    }
  }
  return bytes;
}
