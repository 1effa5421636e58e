// Where the tensors of a Node environment (main thread or worker) live, and who computes there.
//
// Two kinds of kernels compute the same. Those in this folder read and write the processor's memory where that is faster than ATen. Those in
// portable/ are written in ATen's operators alone and run on any device; addon.cc takes them, by the function's name, whenever
// usesProcessorKernels() says no. A kernel that is ATen but for a shortcut asks usesProcessorKernels() itself.
#pragma once

#include <ATen/ATen.h>
#include <c10/core/Event.h>

namespace secateur {

/** Of the calling thread's environment. Starts at the processor. */
at::Device device();

/** @param portable: leaves the processor's own kernels out on the processor, too */
void setDevice(at::Device device, bool portable);

/** Whether kernels may read and write the memory of tensors. */
bool usesProcessorKernels();

/** Options of a tensor made on the device. */
at::TensorOptions ofType(at::ScalarType type);

/** An uninitialised tensor in the processor's memory, from where copies to the device and back need nobody to wait. */
at::Tensor hostTensor(at::IntArrayRef shape, at::ScalarType type);

/** The values in the processor's memory, once `wait` returns, which any thread may call. Until then the device is at work. */
class HostCopy {
 public:
  explicit HostCopy(const at::Tensor& tensor);
  const at::Tensor& wait();

 private:
  at::Tensor values_;
  c10::optional<c10::Event> done_;
};

/** Waits until the device has done all that it was asked for. */
void synchronise();

/** The number of GPUs that CUDA finds; -1 where libtorch was built without CUDA. */
int64_t cudaDevices();

/** Bytes that the device's allocator keeps for reuse. */
int64_t reservedOnDevice();

/** Gives them back; returns how many. */
int64_t trimDevice();

}  // namespace secateur
