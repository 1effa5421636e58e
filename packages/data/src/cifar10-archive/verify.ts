import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

/**
 * Compares a file with its subresource integrity (`sha512-...`).
 *
 * @throws Error naming the file and both digests if they differ.
 */
export async function verifyIntegrity(file: string, integrity: string, signal?: AbortSignal): Promise<void> {
  const hash = createHash('sha512');
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20, signal })) hash.update(chunk as Buffer);
  const actual = `sha512-${hash.digest('base64')}`;
  if (actual !== integrity) {
    throw new Error(
      `${file} is not the expected archive: its checksum must be ${integrity}, got ${actual}. ` +
        'The download is damaged or has been changed; nothing of it was used. Try again.',
    );
  }
}
