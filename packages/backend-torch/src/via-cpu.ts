// Kernels that are not native: copy the inputs to tfjs-backend-cpu, run its kernel, copy the outputs back.
import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import type { KernelFunc, TensorInfo } from '@tensorflow/tfjs-core';
import { backend_util, getKernel } from '@tensorflow/tfjs-core';
import type { TorchBackend } from './backend.ts';

let instance: MathBackendCPU | undefined;

/** A cpu backend of our own, so that the one a user may have registered keeps its tensors and its greeting. */
function cpuBackend(): MathBackendCPU {
  if (!instance) {
    instance = new MathBackendCPU();
    // Its first write would advise the user to install a faster backend.
    Object.assign(instance, { firstUse: false });
  }
  return instance;
}

export function viaCpu(kernelName: string): KernelFunc {
  return ({ inputs, attrs, backend }) => {
    const torch = backend as TorchBackend;
    const cpu = cpuBackend();
    const config = getKernel(kernelName, 'cpu');
    if (!config) throw new Error(`${kernelName}: neither the torch backend nor tfjs-backend-cpu has such a kernel.`);
    const lent: TensorInfo[] = [];
    const lend = (input: TensorInfo): TensorInfo => {
      const copy = toCpu(input, torch, cpu);
      lent.push(copy);
      return copy;
    };
    const produced: TensorInfo[] = [];
    try {
      const result = config.kernelFunc({
        inputs: mapInputs(inputs, lend),
        backend: cpu,
        ...(attrs ? { attrs } : {}),
      });
      produced.push(...(Array.isArray(result) ? result : [result]));
      const outputs = produced.map((output) => toTorch(output, torch, cpu));
      return Array.isArray(result) ? outputs : outputs[0]!;
    } finally {
      for (const info of [...lent, ...produced]) cpu.disposeData(info.dataId, true);
    }
  };
}

type Inputs = Parameters<KernelFunc>[0]['inputs'];

/** Some kernels take arrays of tensors, as the inputs themselves (Concat) or under a name (RaggedGather). */
function mapInputs(inputs: Inputs, map: (input: TensorInfo) => TensorInfo): Inputs {
  const entries = Object.entries(inputs).map(([name, input]) => [
    name,
    Array.isArray(input) ? input.map(map) : input && map(input),
  ]);
  return Array.isArray(inputs)
    ? (entries.map(([, input]) => input) as unknown as Inputs)
    : (Object.fromEntries(entries) as Inputs);
}

function toCpu(info: TensorInfo, torch: TorchBackend, cpu: MathBackendCPU): TensorInfo {
  const values = torch.readSync(info.dataId);
  if (info.dtype !== 'complex64') {
    const { shape, dtype } = info;
    // A few cpu kernels read the rank, as if they were given tensors.
    return Object.assign(cpu.makeTensorInfo(shape, dtype, values), { rank: shape.length });
  }
  const { real, imag } = backend_util.splitRealAndImagArrays(values as Float32Array);
  const complex = cpu.makeTensorInfo(info.shape, 'complex64');
  cpu.data.get(complex.dataId).complexTensorInfos = {
    real: cpu.makeTensorInfo(info.shape, 'float32', real),
    imag: cpu.makeTensorInfo(info.shape, 'float32', imag),
  };
  return complex;
}

function toTorch(info: TensorInfo, torch: TorchBackend, cpu: MathBackendCPU): TensorInfo {
  // Its Concat makes an empty complex tensor without parts, which it cannot read.
  const partless = info.dtype === 'complex64' && !cpu.data.get(info.dataId).complexTensorInfos;
  const values = partless ? new Float32Array(0) : cpu.readSync(info.dataId);
  return torch.makeFromValues(values, [...info.shape], info.dtype);
}
