import type { InferenceSession } from 'onnxruntime-node';
import { agree } from './check-onnx.ts';
import { describe, type ValueType } from './value-type.ts';

/**
 * Compares what onnxruntime says about a loaded model's inputs and outputs with what was inferred.
 *
 * @returns the differences, one sentence each.
 */
export function compareWithRuntime(
  values: ReadonlyMap<string, ValueType>,
  { inputMetadata, outputMetadata }: Pick<InferenceSession, 'inputMetadata' | 'outputMetadata'>,
): string[] {
  return [...inputMetadata, ...outputMetadata].flatMap((port) => {
    const inferred = values.get(port.name);
    if (!port.isTensor || !inferred) return [`onnxruntime knows a value '${port.name}' that is no tensor of the graph`];
    // A name that onnxruntime made up stands for a size that it does not know.
    const reported: ValueType = { type: port.type, dims: port.shape };
    return agree(inferred, reported)
      ? []
      : [`onnxruntime says that '${port.name}' is ${describe(reported)}, but it is ${describe(inferred)}`];
  });
}
