/** Wire types of protobuf. */
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** A field's kind: one of the wire types, a list of integers, a list of floats or doubles, or a message by its name. */
type Field = number | 'integers' | 'floats' | 'doubles' | { readonly message: string };

const message = (name: string): Field => ({ message: name });

/** The messages of onnx.proto with all fields that the decoder reads, by number. */
const MESSAGES: Readonly<Record<string, Readonly<Record<number, Field>>>> = {
  Model: {
    1: VARINT,
    2: BYTES,
    3: BYTES,
    4: BYTES,
    5: VARINT,
    6: BYTES,
    7: message('Graph'),
    8: message('OperatorSet'),
    14: message('Entry'),
    20: message('TrainingInfo'),
    25: message('Function'),
  },
  Graph: {
    1: message('Node'),
    2: BYTES,
    5: message('Tensor'),
    10: BYTES,
    11: message('ValueInfo'),
    12: message('ValueInfo'),
    13: message('ValueInfo'),
    14: message('Annotation'),
    15: message('SparseTensor'),
  },
  Node: { 1: BYTES, 2: BYTES, 3: BYTES, 4: BYTES, 5: message('Attribute'), 6: BYTES, 7: BYTES },
  Attribute: {
    1: BYTES,
    2: FIXED32,
    3: VARINT,
    4: BYTES,
    5: message('Tensor'),
    6: message('Graph'),
    7: 'floats',
    8: 'integers',
    9: BYTES,
    10: message('Tensor'),
    11: message('Graph'),
    13: BYTES,
    14: message('Type'),
    15: message('Type'),
    20: VARINT,
    21: BYTES,
    22: message('SparseTensor'),
    23: message('SparseTensor'),
  },
  Tensor: {
    1: 'integers',
    2: VARINT,
    3: message('Segment'),
    4: 'floats',
    5: 'integers',
    6: BYTES,
    7: 'integers',
    8: BYTES,
    9: BYTES,
    10: 'doubles',
    11: 'integers',
    12: BYTES,
    13: message('Entry'),
    14: VARINT,
  },
  SparseTensor: { 1: message('Tensor'), 2: message('Tensor'), 3: 'integers' },
  ValueInfo: { 1: BYTES, 2: message('Type'), 3: BYTES },
  Type: {
    1: message('TensorType'),
    4: message('Wrapped'),
    5: message('MapType'),
    6: BYTES,
    8: message('TensorType'),
    9: message('Wrapped'),
  },
  TensorType: { 1: VARINT, 2: message('Shape') },
  Wrapped: { 1: message('Type') },
  MapType: { 1: VARINT, 2: message('Type') },
  Shape: { 1: message('Dimension') },
  Dimension: { 1: VARINT, 2: BYTES, 3: BYTES },
  OperatorSet: { 1: BYTES, 2: VARINT },
  Entry: { 1: BYTES, 2: BYTES },
  Annotation: { 1: BYTES, 2: message('Entry') },
  Segment: { 1: VARINT, 2: VARINT },
  TrainingInfo: { 1: message('Graph'), 2: message('Graph'), 3: message('Entry'), 4: message('Entry') },
  Function: {
    1: BYTES,
    4: BYTES,
    5: BYTES,
    6: BYTES,
    7: message('Node'),
    8: BYTES,
    9: message('OperatorSet'),
    10: BYTES,
  },
};

/** An ordinary graph needs 11: a tensor in an attribute of a node of a graph in an attribute of a node. */
const MAX_DEPTH = 24;
/** A decoded field takes up to a few hundred bytes of memory, whatever it takes in the file. */
const MAX_FIELDS = 2_000_000;

/**
 * Walks through an encoded ModelProto without building anything, so that the decoder, which does not check its input, meets
 * only what it expects: every message ends where it says, every field has its type, nesting and counts are bounded.
 *
 * @throws Error that says what is wrong and at which byte.
 */
export function scanFields(bytes: Uint8Array): void {
  new Scanner(bytes).message('Model', bytes.length, 0);
}

class Scanner {
  readonly #bytes: Uint8Array;
  #position = 0;
  #fields = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  message(name: string, end: number, depth: number): void {
    if (depth > MAX_DEPTH) this.#fail(`messages nested more than ${MAX_DEPTH} deep`);
    const fields = MESSAGES[name]!;
    while (this.#position < end) {
      const tag = this.#varint(end);
      const [number, wireType] = [Math.floor(tag / 8), tag % 8];
      this.#count(1);
      const field = fields[number];
      if (field === undefined) this.#skip(wireType, end);
      else this.#known(field, { wireType, end, depth, place: `${name} field ${number}` });
    }
  }

  #known(
    field: Field,
    { wireType, end, depth, place }: { wireType: number; end: number; depth: number; place: string },
  ): void {
    const packed = wireType === BYTES;
    if (typeof field === 'object') {
      if (!packed) this.#fail(`wire type ${wireType} in ${place}, which is a message`);
      this.message(field.message, this.#length(end), depth + 1);
    } else if (field === 'integers' && packed) {
      const stop = this.#length(end);
      while (this.#position < stop) {
        this.#varint(stop);
        this.#count(1);
      }
    } else if ((field === 'floats' || field === 'doubles') && packed) {
      const start = this.#position;
      const stop = this.#length(end);
      const size = field === 'floats' ? 4 : 8;
      if ((stop - this.#position) % size !== 0) this.#fail(`a list of ${field} that is cut short in ${place}`, start);
      this.#position = stop;
    } else {
      const expected = { integers: VARINT, floats: FIXED32, doubles: FIXED64 }[field as string] ?? field;
      if (wireType !== expected) this.#fail(`wire type ${wireType} in place of ${expected} in ${place}`);
      this.#skip(wireType, end);
    }
  }

  #skip(wireType: number, end: number): void {
    if (wireType === VARINT) this.#varint(end);
    else if (wireType === FIXED64) this.#advance(8, end);
    else if (wireType === BYTES) this.#position = this.#length(end);
    else if (wireType === FIXED32) this.#advance(4, end);
    else this.#fail(`unknown wire type ${wireType}`);
  }

  /** Reads a length and returns where what has this length ends. */
  #length(end: number): number {
    const start = this.#position;
    const length = this.#varint(end);
    if (length > end - this.#position) this.#fail(`a length of ${length} that leads past the end`, start);
    return this.#position + length;
  }

  #advance(count: number, end: number): void {
    if (count > end - this.#position) this.#fail('a value that is cut short');
    this.#position += count;
  }

  /** Up to ten bytes; numbers beyond 2^53 lose their last digits, which matters to none that is looked at here. */
  #varint(end: number): number {
    let value = 0;
    for (let index = 0; index < 10; index++) {
      if (this.#position >= end) this.#fail('a number that is cut short');
      const byte = this.#bytes[this.#position++]!;
      value += (byte & 127) * 2 ** (7 * index);
      if (byte < 128) return value;
    }
    return this.#fail('a number of more than ten bytes');
  }

  #count(fields: number): void {
    this.#fields += fields;
    if (this.#fields > MAX_FIELDS) this.#fail(`more than ${MAX_FIELDS} fields`);
  }

  #fail(what: string, position = this.#position): never {
    throw new Error(`expected an ONNX model, but found ${what} at byte ${position}`);
  }
}
