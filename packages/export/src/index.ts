export { type ExportOptions, exportOnnx } from './export-onnx.ts';
export type { Port } from './graph/encode.ts';
export { type ClassifierDescription, type OnnxMetadata, readOnnxMetadata } from './metadata.ts';
export { nhwcToNchw } from './runtime/images.ts';
export { type Latency, type LatencyOptions, measureLatency } from './runtime/latency.ts';
export type { OnnxSource } from './runtime/session.ts';
export { type Verification, type VerifyOptions, verify } from './runtime/verify.ts';
export { writeOnnx } from './write-onnx.ts';
