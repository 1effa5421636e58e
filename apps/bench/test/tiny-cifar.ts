import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PLANE = 32 * 32;

/** The files of the binary CIFAR-10 with five images of each class in each, striped by class. */
export async function writeTinyCifar10(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'secateur-bench-data-'));
  const names = [...[1, 2, 3, 4, 5].map((batch) => `data_batch_${batch}.bin`), 'test_batch.bin'];
  for (const [file, name] of names.entries()) {
    const records = Array.from({ length: 50 }, (_, image) => {
      const label = image % 10;
      const pixels = Array.from({ length: 3 * PLANE }, (_, i) => ((i + file + image) % (label + 2) === 0 ? 250 : 20));
      return Uint8Array.of(label, ...pixels);
    });
    await writeFile(join(directory, name), Buffer.concat(records));
  }
  return directory;
}
