import type { onnx as Onnx } from 'onnx-proto';
import { onnx } from './proto.ts';

/**
 * Reads an ONNX ModelProto.
 *
 * @throws Error when the bytes are not an ONNX model; `source` names them in the message.
 */
export function decodeModel(bytes: Uint8Array, source = 'These bytes'): Onnx.ModelProto {
  let model: Onnx.ModelProto;
  try {
    model = onnx.ModelProto.decode(bytes);
  } catch (cause) {
    throw new Error(`${notOnnx(source, bytes)} The file may be cut short or of another kind; export it again.`, {
      cause,
    });
  }
  // Almost any short file is a valid protobuf message, so the fields that every model has decide.
  if (!model.graph?.node || model.opsetImport.length === 0 || Number(String(model.irVersion)) < 1) {
    throw new Error(`${notOnnx(source, bytes)} It has no graph, operator set or IR version; export it again.`);
  }
  return model;
}

function notOnnx(source: string, bytes: Uint8Array): string {
  return `${source} (${bytes.length} bytes): expected an ONNX model, but this cannot be read as one.`;
}
