import { axisOf } from '../constant.ts';
import type { OperatorContext } from './context.ts';

export interface AxisSlice {
  readonly axis: number;
  /** The first index that is taken. */
  readonly start: number;
  readonly step: number;
  /** How many are taken. */
  readonly count: number;
  /** Of the axis; NaN is the batch. */
  readonly size: number;
}

/** What a Slice takes of each axis that it names. */
export function readSlices(context: OperatorContext, dims: readonly number[]): AxisSlice[] {
  const starts = context.integers('starts', 1);
  const ends = context.integers('ends', 2);
  if (!starts || !ends) throw new Error('lacks its starts or ends');
  const axes = context.integers('axes', 3) ?? starts.map((_, i) => i);
  const steps = context.optionalConstant(4, 'the steps')?.data ?? starts.map(() => 1);
  if ([ends, axes, steps].some((list) => list.length !== starts.length) || starts.length > dims.length) {
    throw new Error('has starts, ends, axes and steps of different lengths');
  }
  return starts.map((start, i) => {
    const axis = axisOf(axes[i]!, dims.length);
    return sliceOf({ axis, size: dims[axis]!, start, end: ends[i]!, step: steps[i]! });
  });
}

function sliceOf({
  axis,
  size,
  start,
  end,
  step,
}: Record<'axis' | 'size' | 'start' | 'end' | 'step', number>): AxisSlice {
  if (!Number.isInteger(step) || step === 0 || Number.isNaN(start + end)) throw new Error(`has the step ${step}`);
  // An end beyond 2^31 is how exporters write that there is none: then all images of the batch are taken, NaN again.
  if (Number.isNaN(size)) return { axis, start, step, count: end >= 2 ** 31 - 1 ? size : end, size };
  const place = (position: number) => (position < 0 ? position + size : position);
  const [least, most] = step > 0 ? [0, size] : [-1, size - 1];
  const from = Math.min(Math.max(place(start), 0), most);
  const to = Math.min(Math.max(place(end), least), most);
  return { axis, start: from, step, count: Math.max(Math.ceil((to - from) / step), 0), size };
}
