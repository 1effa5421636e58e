import { maskedCrc32c } from './crc32c.ts';
import { message, type ProtoField } from './protobuf.ts';

export interface Histogram {
  readonly values: readonly number[];
  /** Right edges of the bins, ascending; the last one is not below any value. */
  readonly limits: readonly number[];
}

export interface TensorBoardEvent {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step: number;
  readonly scalars?: Readonly<Record<string, number>>;
  readonly histograms?: Readonly<Record<string, Histogram>>;
}

/** The beginning of every event file. */
export function fileHeader(wallTime: number): Buffer {
  return record(
    message([
      { id: 1, double: wallTime },
      { id: 3, text: 'brain.Event:2' },
    ]),
  );
}

/** One record: a tensorflow.Event with a Summary (tensorflow/core/util/event.proto). */
export function encodeEvent({ wallTime, step, scalars = {}, histograms = {} }: TensorBoardEvent): Buffer {
  const values = [
    ...Object.entries(scalars).map(([tag, value]) =>
      message([
        { id: 1, text: tag },
        { id: 2, float: value },
      ]),
    ),
    ...Object.entries(histograms).map(([tag, histogram]) =>
      message([
        { id: 1, text: tag },
        { id: 5, bytes: encodeHistogram(histogram) },
      ]),
    ),
  ];
  const summary = message(values.map((bytes): ProtoField => ({ id: 1, bytes })));
  return record(
    message([
      { id: 1, double: wallTime },
      { id: 2, integer: step },
      { id: 5, bytes: summary },
    ]),
  );
}

function encodeHistogram({ values, limits }: Histogram): Buffer {
  const counts = limits.map(() => 0);
  for (const value of values) counts[limits.findIndex((limit) => value <= limit)]!++;
  const sum = (of: (value: number) => number) => values.reduce((total, value) => total + of(value), 0);
  return message([
    { id: 1, double: Math.min(...values) },
    { id: 2, double: Math.max(...values) },
    { id: 3, double: values.length },
    { id: 4, double: sum((value) => value) },
    { id: 5, double: sum((value) => value * value) },
    { id: 6, doubles: limits },
    { id: 7, doubles: counts },
  ]);
}

/** TFRecord framing: length, its checksum, data, its checksum. */
function record(data: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head.writeBigUInt64LE(BigInt(data.length));
  head.writeUInt32LE(maskedCrc32c(head.subarray(0, 8)), 8);
  const tail = Buffer.alloc(4);
  tail.writeUInt32LE(maskedCrc32c(data));
  return Buffer.concat([head, data, tail]);
}
