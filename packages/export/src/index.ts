export { checkOnnx } from './check/check-onnx.ts';
export type { Dim, ValueType } from './check/value-type.ts';
export { countOnnxMacs, type GraphCost, type NodeCost } from './cost/count-onnx-macs.ts';
export { type ExportOptions, exportOnnx } from './export-onnx.ts';
export type { WriteModelOptions } from './external-data/write-model.ts';
export type { Port } from './graph/encode.ts';
export { type ImportedModel, type ImportOptions, importOnnx } from './import/import-onnx.ts';
export type { ImportLimits } from './import/limits.ts';
export type { InputLayout, InputOptions } from './import/read-input.ts';

export { type ClassifierDescription, type OnnxMetadata, type PruningStep, readOnnxMetadata } from './metadata.ts';
export type { RangeRule } from './precision/calibrate.ts';

export { type Float16Options, toFloat16 } from './precision/float16.ts';
export { type QuantiseOptions, quantise } from './precision/quantise.ts';
export { type ClassifierOptions, type OnnxClassifier, openClassifier } from './runtime/classifier.ts';
export {
  compareSpeed,
  type PartialBlocks,
  type SpeedComparison,
  type SpeedMeasurement,
  type SpeedOptions,
} from './runtime/compare-speed.ts';
export { nhwcToNchw } from './runtime/images.ts';
export { type Latency, type LatencyOptions, measureLatency } from './runtime/latency.ts';
export type { OnnxSource } from './runtime/load-model.ts';
export type { ImageBatch, NetworkInputs } from './runtime/network-inputs.ts';
export { type Verification, type VerifyOptions, verify } from './runtime/verify.ts';
export { saveOnnx, writeOnnx } from './write-onnx.ts';
