import { activationOperators } from './activation.ts';
import type { Operator } from './context.ts';
import { convolutionOperators } from './convolution.ts';
import { denseOperators } from './dense.ts';
import { mergeOperators } from './merge.ts';
import { normalizationOperators } from './normalization.ts';
import { poolingOperators } from './pooling.ts';
import { shapeOperators } from './shape.ts';

/** Operators on images and features, by their ONNX names. */
export const operators: ReadonlyMap<string, Operator> = new Map(
  Object.entries({
    ...activationOperators,
    ...convolutionOperators,
    ...denseOperators,
    ...mergeOperators,
    ...normalizationOperators,
    ...poolingOperators,
    ...shapeOperators,
  }),
);
