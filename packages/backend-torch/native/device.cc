#include "device.h"

#include <c10/core/impl/VirtualGuardImpl.h>

#include "allocator.h"
#include "torch_versions.h"

namespace secateur {

namespace {

struct Place {
  at::Device device{at::kCPU};
  bool usesProcessorKernels = true;
};

Place& place() {
  static thread_local Place place;
  return place;
}

c10::Stream currentStream(at::Device device) { return c10::impl::VirtualGuardImpl(device.type()).getStream(device); }

}  // namespace

at::Device device() { return place().device; }

void setDevice(at::Device device, bool portable) {
  if (device.is_cpu()) {
    device = at::kCPU;
  } else {
    TORCH_CHECK(c10::impl::hasDeviceGuardImpl(device.type()), "this libtorch was built without ", device.type());
    const auto count = c10::impl::VirtualGuardImpl(device.type()).deviceCount();
    if (!device.has_index()) device.set_index(0);
    TORCH_CHECK(device.index() >= 0 && device.index() < count, "expected a device below ", device.type(), ":", static_cast<int>(count),
                ", as many as were found, but got ", device);
  }
  place() = {device, device.is_cpu() && !portable};
}

bool usesProcessorKernels() { return place().usesProcessorKernels; }

at::TensorOptions ofType(at::ScalarType type) { return at::TensorOptions(type).device(device()); }

at::Tensor hostTensor(at::IntArrayRef shape, at::ScalarType type) {
  return at::empty(shape, at::TensorOptions(type).pinned_memory(device().is_cuda()));
}

HostCopy::HostCopy(const at::Tensor& tensor) : values_(hostTensor(tensor.sizes(), tensor.scalar_type())) {
  values_.copy_(tensor, /*non_blocking=*/true);
  if (tensor.device().is_cpu()) return;
  done_.emplace(tensor.device().type());
  done_->record(currentStream(tensor.device()));
}

const at::Tensor& HostCopy::wait() {
  if (done_) waitFor(*done_);
  return values_;
}

void synchronise() {
  if (!device().is_cpu()) currentStream(device()).synchronize();
}

int64_t cudaDevices() {
  return c10::impl::hasDeviceGuardImpl(at::kCUDA) ? c10::impl::VirtualGuardImpl(at::kCUDA).deviceCount() : -1;
}

int64_t reservedOnDevice() { return device().is_cuda() ? reservedBytesOf(device()) : reservedBytes(); }

int64_t trimDevice() {
  if (!device().is_cuda()) return trimAllocator();
  const int64_t before = reservedOnDevice();
  emptyCacheOf(device());
  return before - reservedOnDevice();
}

}  // namespace secateur
