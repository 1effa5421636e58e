import type { Operator } from '../operator.ts';
import { elementwiseOperators } from './elementwise.ts';
import { linearOperators, normalizationOperators } from './linear.ts';
import { quantizationOperators } from './quantization.ts';
import { shapeOperators } from './shape.ts';
import { windowOperators } from './windows.ts';

/** By the names of the ONNX specification, domain ''. */
export const operators: ReadonlyMap<string, Operator> = new Map(
  Object.entries({
    ...elementwiseOperators,
    ...windowOperators,
    ...linearOperators,
    ...normalizationOperators,
    ...shapeOperators,
    ...quantizationOperators,
  }),
);
