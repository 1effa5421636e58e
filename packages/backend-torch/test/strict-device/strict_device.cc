// A device for tests, under libtorch's name for devices of other makers ("privateuseone"). Its memory can be neither read nor written outside
// of an operator: a kernel that touches it ends the process. Its operators compute as the processor does, and refuse tensors of two
// devices. It counts what a GPU would have to be waited for.
#include <ATen/ATen.h>
#include <ATen/native/CPUFallback.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <napi.h>
#include <sys/mman.h>
#include <torch/library.h>
#include <torch/version.h>
#include <unistd.h>

#include <atomic>
#include <cstring>

namespace {

constexpr auto kStrict = c10::DeviceType::PrivateUse1;

std::atomic<int64_t> waits{0}, events{0};

size_t pages(size_t bytes) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return (bytes + page - 1) / page * page;
}

struct Memory {
  void* data;
  size_t bytes;
};

void release(void* memory) {
  const auto* block = static_cast<Memory*>(memory);
  munmap(block->data, block->bytes);
  delete block;
}

/** Written once for all versions of libtorch, as AnyAllocator of native/torch_versions.h. */
struct StrictAllocator final : public at::Allocator {
  at::DataPtr allocate(size_t bytes) { return make(bytes); }
  at::DataPtr allocate(size_t bytes) const { return make(bytes); }
  void copy_data(void*, const void*, size_t) const { TORCH_CHECK(false, "the strict device's memory cannot be read"); }

  static at::DataPtr make(size_t asked) {
    const at::Device device(kStrict, 0);
    if (asked == 0) return {nullptr, nullptr, [](void*) {}, device};
    void* data = mmap(nullptr, pages(asked), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    TORCH_CHECK(data != MAP_FAILED, "out of memory on the strict device: ", asked, " bytes");
    return {data, new Memory{data, pages(asked)}, &release, device};
  }
};

StrictAllocator allocator;

/** Opens a tensor's memory as long as it lives, and shows it as a tensor of the processor. */
class Opened {
 public:
  explicit Opened(const at::Tensor& tensor) : storage_(tensor.storage()) {
    protect(PROT_READ | PROT_WRITE);
    auto* data = static_cast<char*>(const_cast<void*>(static_cast<const void*>(storage_.data_ptr().get())));
    shown = at::from_blob(data + tensor.storage_offset() * static_cast<int64_t>(tensor.itemsize()), tensor.sizes(), tensor.strides(),
                          at::TensorOptions(tensor.scalar_type()));
  }
  ~Opened() { protect(PROT_NONE); }
  Opened(const Opened&) = delete;

  at::Tensor shown;

 private:
  void protect(int access) const {
    const auto* block = static_cast<const Memory*>(storage_.data_ptr().get_context());
    if (block) mprotect(block->data, block->bytes, access);
  }

  at::Storage storage_;
};

at::Tensor wrap(at::IntArrayRef sizes, at::IntArrayRef strides, at::ScalarType type) {
  int64_t last = 0;
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] == 0) last = -1;
    else if (last >= 0) last += (sizes[i] - 1) * strides[i];
  }
  const auto bytes = static_cast<size_t>(last + 1) * c10::elementSize(type);
  auto storage = c10::make_intrusive<c10::StorageImpl>(c10::StorageImpl::use_byte_size_t(), bytes, StrictAllocator::make(bytes), &allocator,
                                                       /*resizable=*/true);
  auto tensor = at::detail::make_tensor<c10::TensorImpl>(c10::Storage(std::move(storage)), c10::DispatchKeySet(c10::DispatchKey::PrivateUse1),
                                                         c10::scalarTypeToTypeMeta(type));
  tensor.unsafeGetTensorImpl()->set_sizes_and_strides(sizes, strides);
  return tensor;
}

at::Tensor empty(at::IntArrayRef sizes, c10::optional<at::ScalarType> type, c10::optional<at::Layout>, c10::optional<at::Device>, c10::optional<bool>,
                 c10::optional<at::MemoryFormat> format) {
  // The processor's own choice of strides.
  const at::Tensor like = at::empty(sizes, at::TensorOptions(at::kMeta).dtype(type).memory_format(format));
  return wrap(sizes, like.strides(), like.scalar_type());
}

at::Tensor emptyStrided(at::IntArrayRef sizes, at::IntArrayRef strides, c10::optional<at::ScalarType> type, c10::optional<at::Layout>,
                        c10::optional<at::Device>, c10::optional<bool>) {
  return wrap(sizes, strides, type.value_or(at::kFloat));
}

at::Tensor aliasOf(const at::Tensor& tensor, at::IntArrayRef sizes, at::IntArrayRef strides, int64_t offset) {
  auto alias = at::detail::make_tensor<c10::TensorImpl>(c10::TensorImpl::VIEW, c10::Storage(tensor.storage()),
                                                        c10::DispatchKeySet(c10::DispatchKey::PrivateUse1), tensor.dtype());
  alias.unsafeGetTensorImpl()->set_sizes_and_strides(sizes, strides);
  alias.unsafeGetTensorImpl()->set_storage_offset(offset);
  return alias;
}

at::Tensor asStrided(const at::Tensor& self, at::IntArrayRef sizes, at::IntArrayRef strides, c10::optional<int64_t> offset) {
  return aliasOf(self, sizes, strides, offset.value_or(self.storage_offset()));
}

at::Tensor view(const at::Tensor& self, at::IntArrayRef sizes) {
  const at::Tensor like = at::empty_strided(self.sizes(), self.strides(), at::TensorOptions(at::kMeta).dtype(self.dtype())).view(sizes);
  return aliasOf(self, like.sizes(), like.strides(), self.storage_offset());
}

at::Tensor unfold(const at::Tensor& self, int64_t axis, int64_t size, int64_t step) {
  const at::Tensor like = at::empty_strided(self.sizes(), self.strides(), at::TensorOptions(at::kMeta).dtype(self.dtype())).unfold(axis, size, step);
  return aliasOf(self, like.sizes(), like.strides(), self.storage_offset());
}

at::Tensor reshapeAlias(const at::Tensor& self, at::IntArrayRef sizes, at::IntArrayRef strides) {
  return aliasOf(self, sizes, strides, self.storage_offset());
}

/** Every copy between the devices. To the processor it is waited for, unless the caller promised to wait on its own. */
at::Tensor copyFrom(const at::Tensor& self, const at::Tensor& dst, bool nonBlocking) {
  if (dst.device().is_cpu() && !nonBlocking) ++waits;
  c10::optional<Opened> from, to;
  if (!self.device().is_cpu()) from.emplace(self);
  if (!dst.device().is_cpu()) to.emplace(dst);
  (to ? to->shown : dst).copy_(from ? from->shown : self);
  return dst;
}

at::Scalar localScalar(const at::Tensor& self) {
  ++waits;
  const Opened opened(self);
  return opened.shown.item();
}

const at::Tensor& resize(const at::Tensor& self, at::IntArrayRef sizes, c10::optional<at::MemoryFormat>) {
  if (self.sizes() == sizes) return self;
  const at::Tensor fresh = empty(sizes, self.scalar_type(), {}, {}, {}, {});
  self.unsafeGetTensorImpl()->set_storage_keep_dtype(fresh.storage());
  self.unsafeGetTensorImpl()->set_sizes_and_strides(fresh.sizes(), fresh.strides());
  return self;
}

/** What GPUs take beside their own tensors: a scalar of the processor. */
void refuseTwoDevices(const c10::OperatorHandle& op, const torch::jit::Stack& stack) {
  const auto check = [&](const at::Tensor& tensor) {
    TORCH_CHECK(!tensor.defined() || tensor.device().type() == kStrict || tensor.dim() == 0, op.schema().name(), " got a tensor of ", tensor.device(),
                " beside tensors of the strict device");
  };
  for (const c10::IValue& value : torch::jit::last(stack, op.schema().arguments().size())) {
    if (value.isTensor()) check(value.toTensor());
    if (value.isTensorList()) {
      for (const at::Tensor& tensor : value.toTensorVector()) check(tensor);
    }
  }
}

/** Computes on copies; those to the processor and back are the device's own work. */
void compute(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  refuseTwoDevices(op, *stack);
  const int64_t before = waits;
  at::native::cpu_fallback(op, stack);
  waits = before;
}

/** Libtorch hands convolutions of other makers' devices on, without the bias's gradient. */
at::Tensor convolution(const at::Tensor& x, const at::Tensor& weight, const c10::optional<at::Tensor>& bias, at::IntArrayRef stride,
                       at::IntArrayRef padding, at::IntArrayRef dilation, bool transposed, at::IntArrayRef outputPadding, int64_t groups) {
  const Opened from(x), by(weight);
  c10::optional<Opened> shift;
  if (bias && bias->defined()) shift.emplace(*bias);
  return at::convolution(from.shown, by.shown, shift ? c10::optional<at::Tensor>(shift->shown) : c10::nullopt, stride, padding, dilation, transposed,
                         outputPadding, groups)
      .to(at::Device(kStrict, 0));
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> convolutionBackward(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight,
                                                                   at::IntArrayRef stride, at::IntArrayRef padding, at::IntArrayRef dilation,
                                                                   bool transposed, at::IntArrayRef outputPadding, int64_t groups,
                                                                   std::array<bool, 3> mask) {
  const Opened above(dy), from(x), by(weight);
  const auto gradients = at::convolution_backward(above.shown, from.shown, by.shown, c10::nullopt, stride, padding, dilation, transposed,
                                                  outputPadding, groups, {mask[0], mask[1], false});
  const auto moved = [](const at::Tensor& gradient) { return gradient.defined() ? gradient.to(at::Device(kStrict, 0)) : gradient; };
  return {moved(std::get<0>(gradients)), moved(std::get<1>(gradients)), {}};
}

at::Tensor copyFromAndResize(const at::Tensor& self, const at::Tensor& dst) {
  if (dst.sizes() != self.sizes()) dst.resize_(self.sizes());
  return dst.copy_(self);
}

TORCH_LIBRARY_IMPL(aten, PrivateUse1, library) {
  library.impl("empty.memory_format", empty);
  library.impl("empty_strided", emptyStrided);
  library.impl("as_strided", asStrided);
  library.impl("view", view);
  library.impl("unfold", unfold);
  library.impl("_reshape_alias", reshapeAlias);
  library.impl("convolution_overrideable", convolution);
  library.impl("convolution_backward_overrideable", convolutionBackward);
  library.impl("_copy_from", copyFrom);
  library.impl("_copy_from_and_resize", copyFromAndResize);
  library.impl("_local_scalar_dense", localScalar);
  library.impl("resize_", resize);
}

TORCH_LIBRARY_IMPL(_, PrivateUse1, library) { library.fallback(torch::CppFunction::makeFromBoxedFunction<&compute>()); }

/** One device with one stream, whose events take a moment to come. */
struct StrictGuard final : public c10::impl::DeviceGuardImplInterface {
  c10::DeviceType type() const override { return kStrict; }
  c10::Device exchangeDevice(c10::Device) const override { return getDevice(); }
  c10::Device getDevice() const override { return {kStrict, 0}; }
  void setDevice(c10::Device) const override {}
  void uncheckedSetDevice(c10::Device) const noexcept override {}
  c10::Stream getStream(c10::Device) const noexcept override { return c10::Stream(c10::Stream::DEFAULT, getDevice()); }
  c10::Stream exchangeStream(c10::Stream) const noexcept override { return getStream(getDevice()); }
  c10::DeviceIndex deviceCount() const noexcept override { return 1; }
  void record(void** event, const c10::Stream&, const c10::DeviceIndex, const c10::EventFlag) const override {
    *event = new std::atomic<int>(3);
    ++events;
  }
  bool queryEvent(void* event) const override { return --*static_cast<std::atomic<int>*>(event) <= 0; }
  void synchronizeEvent(void* event) const { *static_cast<std::atomic<int>*>(event) = 0; }
  void destroyEvent(void* event, const c10::DeviceIndex) const noexcept override { delete static_cast<std::atomic<int>*>(event); }
  bool queryStream(const c10::Stream&) const override { return true; }
  void synchronizeStream(const c10::Stream&) const override { ++waits; }
};

Napi::Value counts(const Napi::CallbackInfo& info) {
  auto result = Napi::Object::New(info.Env());
  result.Set("waits", static_cast<double>(waits));
  result.Set("events", static_cast<double>(events));
  return result;
}

Napi::Object install(Napi::Env env, Napi::Object exports) {
  static const bool once = [] {
    c10::SetAllocator(kStrict, &allocator);
    static StrictGuard guard;
    c10::impl::device_guard_impl_registry[static_cast<size_t>(kStrict)] = &guard;
    return true;
  }();
  static_cast<void>(once);
  exports.Set("counts", Napi::Function::New(env, counts));
  return exports;
}

}  // namespace

static Napi::Object Init(Napi::Env env, Napi::Object exports) { return install(env, exports); }

NODE_API_MODULE(strict_device, Init)
