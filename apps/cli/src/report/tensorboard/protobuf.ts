/** A field with its number and its value. */
export type ProtoField = { readonly id: number } & (
  | { readonly integer: number }
  | { readonly double: number }
  | { readonly float: number }
  | { readonly text: string }
  | { readonly bytes: Uint8Array }
  | { readonly doubles: readonly number[] }
);

const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 };

/** A message in protobuf's wire format. */
export function message(fields: readonly ProtoField[]): Buffer {
  return Buffer.concat(fields.flatMap(encodeField));
}

function encodeField(field: ProtoField): Buffer[] {
  const key = (wire: number) => varint(8 * field.id + wire);
  if ('integer' in field) return [key(WIRE.varint), varint(field.integer)];
  if ('double' in field) return [key(WIRE.fixed64), doubles([field.double])];
  if ('float' in field) {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatLE(field.float);
    return [key(WIRE.fixed32), bytes];
  }
  const bytes =
    'text' in field ? Buffer.from(field.text) : 'doubles' in field ? doubles(field.doubles) : Buffer.from(field.bytes);
  return [key(WIRE.bytes), varint(bytes.length), bytes];
}

/** @param value Not negative. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Buffer.from([...bytes, rest]);
}

function doubles(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(8 * values.length);
  values.forEach((value, i) => {
    bytes.writeDoubleLE(value, 8 * i);
  });
  return bytes;
}
