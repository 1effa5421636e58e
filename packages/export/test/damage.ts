import { randomNumbers } from './oracle.ts';

/** Changes a file at random in one of the ways in which files go wrong, or are made to. The same seed gives the same file. */
export function damage(file: Uint8Array, seed: number): Uint8Array {
  const next = randomNumbers(seed);
  // The first numbers of neighbouring seeds are alike.
  for (let i = 0; i < 8; i++) next();
  const below = (limit: number) => Math.floor(((next() + 1) / 2) * limit);
  const bytes = Uint8Array.from(file);
  // Weights are most of a file, and what they are hardly matters: names, sizes and attributes are found in short runs of text.
  const interesting = structureOf(file);
  const place = () =>
    interesting.length > 0 && below(8) > 0 ? interesting[below(interesting.length)]! : below(bytes.length);
  const ways: readonly (() => Uint8Array)[] = [
    () => bytes.subarray(0, below(bytes.length)),
    () => edit(bytes, 1 + below(4), () => [place(), below(256)]),
    () => edit(bytes, 1 + below(64), () => [place(), below(256)]),
    () => edit(bytes, 1 + below(4), () => [place(), 255]),
    () => {
      const at = place();
      return edit(bytes, 1, () => [at, bytes[at]! ^ (1 << below(8))]);
    },
    () => {
      const [at, length] = [place(), 1 + below(40)];
      return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + length)]);
    },
    () => {
      const [at, length] = [place(), 1 + below(40)];
      return Uint8Array.from([...bytes.subarray(0, at + length), ...bytes.subarray(at)]);
    },
    () => {
      const [from, to, length] = [place(), place(), 1 + below(60)];
      bytes.copyWithin(to, from, from + length);
      return bytes;
    },
    () => {
      const varint = Array.from({ length: 1 + below(9) }, () => 128 + below(128));
      const at = place();
      return Uint8Array.from([...bytes.subarray(0, at), ...varint, below(128), ...bytes.subarray(at + 1)]);
    },
  ];
  return ways[below(ways.length)]!();
}

function edit(bytes: Uint8Array, times: number, change: () => readonly [number, number]): Uint8Array {
  for (let i = 0; i < times; i++) {
    const [at, value] = change();
    if (at < bytes.length) bytes[at] = value;
  }
  return bytes;
}

/** Places near readable text. */
function structureOf(file: Uint8Array): Int32Array {
  const near = new Uint8Array(file.length);
  let run = 0;
  file.forEach((byte, at) => {
    run = byte >= 32 && byte < 127 ? run + 1 : 0;
    if (run >= 4) near.fill(1, Math.max(at - run - 12, 0), at + 12);
  });
  return Int32Array.from(near.keys()).filter((at) => near[at] === 1);
}
