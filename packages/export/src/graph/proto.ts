import proto from 'onnx-proto';

/** The protobuf classes of the ONNX format; the package is CommonJS, hence the default import. */
export const { onnx } = proto;
