import type { PlannedLayer } from '../plan.ts';
import { sizesOf, type TensorValue } from '../value.ts';
import type { OperatorContext } from './context.ts';

export type Pair = readonly [number, number];
/** [top, left, bottom, right] */
export type Pads = readonly [number, number, number, number];

interface Geometry {
  /** Height and width of the window, dilation included. */
  readonly reach: Pair;
  readonly strides: Pair;
}

/** What the node itself puts around its input. */
export function resolvePads(context: OperatorContext, x: TensorValue, { reach, strides }: Geometry): Pads {
  const mode = context.attributes.text('auto_pad', 'NOTSET');
  if (mode === 'VALID') return [0, 0, 0, 0];
  if (mode === 'SAME_UPPER' || mode === 'SAME_LOWER') {
    const totals = imageSize(x).map((size, axis) => {
      const positions = Math.ceil(size / strides[axis]!);
      return Math.max((positions - 1) * strides[axis]! + reach[axis]! - size, 0);
    });
    const small = totals.map((total) => Math.floor(total / 2));
    const large = totals.map((total) => Math.ceil(total / 2));
    const [begin, end] = mode === 'SAME_UPPER' ? [small, large] : [large, small];
    return [...begin, ...end] as unknown as Pads;
  }
  if (mode !== 'NOTSET') throw new Error(`has auto_pad '${mode}'; expected NOTSET, VALID, SAME_UPPER or SAME_LOWER`);
  const pads = context.attributes.integers('pads') ?? [0, 0, 0, 0];
  if (pads.length !== 4 || pads.some((count) => count < 0 || count > LARGEST_PAD)) {
    throw new Error(`has pads [${pads.slice(0, 8)}]; expected four integers from 0 to ${LARGEST_PAD}`);
  }
  return pads as unknown as Pads;
}

const LARGEST_PAD = 2 ** 16;

/**
 * Says how a layer gets its padding: by its own mode where that gives the same, else from zeros put around its input.
 * Zeros that the input is only seen with count as padding too.
 */
export function placePads(
  context: OperatorContext,
  x: TensorValue,
  { pads, same }: { pads: Pads; same: (size: Pair) => readonly number[] },
): { readonly input: PlannedLayer; readonly padding: 'valid' | 'same' } {
  const [[top, bottom], [left, right]] = x.zeros;
  const all = [top + pads[0], left + pads[1], bottom + pads[2], right + pads[3]];
  const [height, width] = x.layer.shape as [number, number, number];
  if (all.every((count) => count === 0)) return { input: x.layer, padding: 'valid' };
  if (String(same([height, width])) === String(all)) return { input: x.layer, padding: 'same' };
  return { input: context.views.plain(withZeros(x, pads)).layer, padding: 'valid' };
}

export function withZeros(x: TensorValue, [top, left, bottom, right]: Pads): TensorValue {
  const [rows, columns, channels] = x.zeros;
  return { ...x, zeros: [[rows[0] + top, rows[1] + bottom], [columns[0] + left, columns[1] + right], channels] };
}

export function imageSize(x: TensorValue): Pair {
  const [height, width] = sizesOf(x);
  return [height!, width!];
}

export function outputSizes(x: TensorValue, { reach, strides, pads }: Geometry & { readonly pads: Pads }): Pair {
  const [down, right] = [0, 1].map((axis) => {
    const padded = imageSize(x)[axis]! + pads[axis]! + pads[axis + 2]!;
    if (padded < reach[axis]!) {
      throw new Error(
        `looks through a window of ${reach.join(' x ')} at an image of ${imageSize(x).join(' x ')}, padding aside`,
      );
    }
    return Math.floor((padded - reach[axis]!) / strides[axis]!) + 1;
  });
  return [down!, right!];
}
