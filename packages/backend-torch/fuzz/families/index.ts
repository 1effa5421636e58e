import type { Family } from '../family.ts';
import { bfloat16 } from './bfloat16.ts';
import { elementwise } from './elementwise.ts';
import { fusedKernels } from './fused.ts';
import { products } from './products.ts';
import { reductions } from './reductions.ts';
import { shapes } from './shapes.ts';
import { traces } from './traces.ts';

/** Every family of operations that is compared with tfjs-backend-cpu. A new operation is one entry in one of these lists. */
export const FAMILIES: readonly Family[] = [
  ...elementwise,
  ...reductions,
  ...shapes,
  ...products,
  ...fusedKernels,
  ...bfloat16,
  ...traces,
];
