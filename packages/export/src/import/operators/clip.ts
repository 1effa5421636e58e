import { layers } from '@tensorflow/tfjs-layers';
import type { TensorValue } from '../value.ts';
import { affine } from './affine.ts';
import type { OperatorContext } from './context.ts';

export interface Bounds {
  /** -Infinity for none. */
  readonly minimum: number;
  /** Infinity for none. */
  readonly maximum: number;
}

/** tfjs-layers clips from 0 only: other bounds are moved there and back. */
export function clip(context: OperatorContext, x: TensorValue, { minimum, maximum }: Bounds, part = ''): TensorValue {
  if (!(minimum < maximum)) throw new Error(`clips to [${minimum}, ${maximum}], which leaves one number or none`);
  const isOpenBelow = minimum === Number.NEGATIVE_INFINITY;
  if (isOpenBelow && maximum === Number.POSITIVE_INFINITY) return x;
  if (minimum === 0 || (minimum < 0 && x.layer.nonNegative)) return clipFrom0(context, x, maximum, part);
  if (!isOpenBelow) {
    const raised = clipFrom0(context, affine(context, x, { shift: -minimum }), maximum - minimum, part);
    return affine(context, raised, { shift: minimum });
  }
  const mirror = { scale: -1, shift: maximum };
  return affine(context, clipFrom0(context, affine(context, x, mirror), Number.POSITIVE_INFINITY, part), mirror);
}

/** min(max(x, 0), maximum) */
function clipFrom0(context: OperatorContext, x: TensorValue, maximum: number, part: string): TensorValue {
  if (!(maximum > 0)) throw new Error(`clips to at most ${maximum}; expected a number above 0`);
  const create = (name: string) => {
    if (maximum === Number.POSITIVE_INFINITY) return layers.activation({ name, activation: 'relu' });
    return maximum === 6 ? layers.activation({ name, activation: 'relu6' }) : layers.reLU({ name, maxValue: maximum });
  };
  return context.elementwise(x, { nonNegative: true, create }, part);
}
