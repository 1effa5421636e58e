// Convolutions whose filter is reordered for oneDNN once, with batch norm folded in: for inference, where
// the same filter meets input after input.
#include <ATen/Parallel.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include "floats.h"
#include "kernels.h"
#include "narrow_convolution.h"
#include "precision.h"

namespace secateur {

namespace {

/** Ours, for few channels. */
struct PackedNarrow {
  NarrowFilter filter;
  MaybeTensor shift;
  SmallMap map;
};

/** A filter as libtorch's operator `mkldnn_prepacked::conv2d_prepack` reordered it, or as narrowConvolution reads it. */
struct Packed {
  at::ScalarType type;
  int64_t height, width, channels;
  c10::IValue context;
  c10::optional<PackedNarrow> narrow;
};

/** One per thread, and so one per Node environment. */
HandleStore<Packed>& packedStore() {
  static thread_local HandleStore<Packed> store("packed convolution");
  return store;
}

c10::optional<c10::OperatorHandle> operatorNamed(const char* name) {
  return at::globalContext().hasMKLDNN() ? c10::Dispatcher::singleton().findSchema({name, ""}) : c10::nullopt;
}

const c10::optional<c10::OperatorHandle>& prepack() {
  static const auto found = operatorNamed("mkldnn_prepacked::conv2d_prepack");
  return found;
}

const c10::optional<c10::OperatorHandle>& runPrepacked() {
  static const auto found = operatorNamed("mkldnn_prepacked::conv2d_run");
  return found;
}

c10::IValue call(const c10::OperatorHandle& function, std::vector<c10::IValue> stack) {
  function.callBoxed(&stack);
  return std::move(stack.at(0));
}

at::Tensor vectorOf(const at::Tensor& vector, int64_t channels, const char* role) {
  TORCH_CHECK(vector.dim() == 1 && vector.size(0) == channels, "expected ", role, " of shape [", channels, "], but got ", vector.sizes());
  return vector.to(at::kFloat);
}

/** () -> whether this libtorch has oneDNN and the operators */
Napi::Value canPackConvolution(Call& call) { return Napi::Boolean::New(call.env(), prepack().has_value() && runPrepacked().has_value()); }

/**
 * (filter, bias | null, mean | null, variance | null, offset | null, scale | null, epsilon, geometry, inputShape, groups, bfloat16) ->
 * packed; with a mean, batch norm by these statistics follows the convolution. Padding is the same on both sides.
 */
Napi::Value packConvolution(Call& call) {
  TORCH_CHECK(prepack().has_value(), "this libtorch cannot pack convolutions");
  at::Tensor filter = call.tensor(0);
  const auto bias = call.optionalTensor(1), mean = call.optionalTensor(2), variance = call.optionalTensor(3);
  const auto offset = call.optionalTensor(4), scale = call.optionalTensor(5);
  const double epsilon = call.number(6);
  const Integers window = call.window(7), input = call.integers(8, 4);
  const int64_t groups = call.integer(9);
  const auto type = call.flag(10) ? at::kBFloat16 : at::kFloat;
  TORCH_CHECK(filter.dim() == 4 && filter.numel() > 0, "expected a filter of rank 4 with values, but got shape ", filter.sizes());
  TORCH_CHECK(window[0] > 0 && window[1] > 0 && window[2] >= 0 && window[3] >= 0 && window[4] > 0 && window[5] > 0,
              "expected positive strides and dilations, and paddings of 0 or more, but got ", window);
  for (const int64_t length : input) TORCH_CHECK(length > 0 && length < (int64_t{1} << 31), "expected an input shape with values, but got ", input);
  TORCH_CHECK(groups == 1 || groups == filter.size(2), "expected 1 group or one for each of the ", filter.size(2), " channels, but got ", groups);
  TORCH_CHECK(input[3] == filter.size(2), "the filter takes ", filter.size(2), " channels, but the input has ", input[3]);
  const auto reaches = [&](int axis) { return input[axis + 1] + 2 * window[2 + axis] >= window[4 + axis] * (filter.size(axis) - 1) + 1; };
  TORCH_CHECK(reaches(0) && reaches(1), "the filter is larger than its padded input");

  // Output channel first; depthwise filters are [height, width, channel, multiplier].
  at::Tensor weight = groups == 1 ? filter.permute({3, 2, 0, 1})
                                  : filter.permute({2, 3, 0, 1}).reshape({filter.size(2) * filter.size(3), 1, filter.size(0), filter.size(1)});
  const int64_t channels = weight.size(0);
  MaybeTensor shift;
  if (bias) shift = vectorOf(*bias, channels, "bias");
  if (mean) {
    TORCH_CHECK(variance, "expected a variance beside the mean");
    at::Tensor factor = at::rsqrt(vectorOf(*variance, channels, "variance") + epsilon);
    if (scale) factor = factor * vectorOf(*scale, channels, "scale");
    const at::Tensor centre = vectorOf(*mean, channels, "mean");
    shift = (shift ? *shift - centre : -centre) * factor;
    if (offset) shift = *shift + vectorOf(*offset, channels, "offset");
    weight = weight.to(at::kFloat) * factor.reshape({channels, 1, 1, 1});
  }
  const SmallMap map{filter.size(0), filter.size(1), input[1], input[2], window[6], window[7], window[2], window[3]};
  const bool isPlain = groups == 1 && window[0] == 1 && window[1] == 1 && window[4] == 1 && window[5] == 1;
  if (isPlain && favoursNarrowConvolution(map, type, input[0], weight.size(1), channels)) {
    const NarrowFilter narrow = packNarrowFilter(weight.permute({2, 3, 1, 0}), type);
    return Napi::Number::New(call.env(), packedStore().add({type, input[1], input[2], input[3], {}, PackedNarrow{narrow, shift, map}}));
  }
  weight = weight.to(type).contiguous(at::MemoryFormat::ChannelsLast);
  const Integers nchw = {input[0], input[3], input[1], input[2]};
  const c10::IValue packedShift = shift ? c10::IValue(shift->to(type).contiguous()) : c10::IValue();
  c10::IValue context = secateur::call(*prepack(), {weight, packedShift, Integers{window[0], window[1]}, Integers{window[2], window[3]},
                                                    Integers{window[4], window[5]}, groups, nchw, "none"});
  return Napi::Number::New(call.env(), packedStore().add({type, input[1], input[2], input[3], std::move(context), c10::nullopt}));
}

template <bool kRelu, typename T>
void finishRange(T* __restrict values, const T* __restrict residual, float most, int64_t count) {
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) {
    const float value = toFloat(values[i]) + (residual ? toFloat(residual[i]) : 0.0f);
    const float rectified = kRelu && value < 0.0f ? 0.0f : value;
    assign(values[i], kRelu && rectified > most ? most : rectified);
  }
}

/** y = activation(y + residual), in place. oneDNN's own ReLU would turn NaN into 0. */
void finish(const at::Tensor& y, const MaybeTensor& residual, const Rectifier& relu) {
  withStorageType(y, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    T* const values = y.data_ptr<T>();
    const T* const added = residual ? residual->data_ptr<T>() : nullptr;
    at::parallel_for(0, y.numel(), 1 << 14, [=](int64_t begin, int64_t end) {
      const T* from = added ? added + begin : nullptr;
      if (relu.isOn) finishRange<true>(values + begin, from, relu.most, end - begin);
      else finishRange<false>(values + begin, from, relu.most, end - begin);
    });
  });
}

/** (packed, x, residual | null, relu, most): what the ReLU lets through at most -> y */
at::Tensor runPackedConvolution(Call& call) {
  const Packed packed = packedStore().get(call.number(0));
  const at::Tensor x = call.tensor(1);
  TORCH_CHECK(x.dim() == 4 && x.numel() > 0 && x.size(1) == packed.height && x.size(2) == packed.width && x.size(3) == packed.channels, "expected x of shape [images, ",
              packed.height, ", ", packed.width, ", ", packed.channels, "], but got shape ", x.sizes());
  const at::Tensor input = x.to(packed.type);
  MaybeTensor residual = call.optionalTensor(2);
  if (residual) residual = residual->to(packed.type).contiguous();
  const Rectifier relu{call.flag(3), static_cast<float>(call.number(4))};
  const auto check = [&](int64_t outH, int64_t outW, int64_t out) {
    const Integers shape = {x.size(0), outH, outW, out};
    TORCH_CHECK(!residual || residual->sizes() == at::IntArrayRef(shape), "expected a residual of shape ", shape, ", but got ", residual->sizes());
  };
  if (packed.narrow) {
    const auto& [filter, shift, map] = *packed.narrow;
    check(map.outH, map.outW, filter.out);
    return narrowConvolution(input, filter, shift, residual, map, relu);
  }
  const at::Tensor nchw = input.contiguous().permute({0, 3, 1, 2});
  const at::Tensor y = secateur::call(*runPrepacked(), {nchw, packed.context}).toTensor().permute({0, 2, 3, 1}).contiguous();
  check(y.size(1), y.size(2), y.size(3));
  if (relu.isOn || residual) finish(y, residual, relu);
  return y;
}

Napi::Value releasePackedConvolution(Call& call) {
  packedStore().release(call.number(0));
  return call.env().Undefined();
}

}  // namespace

Functions packedConvolutionFunctions() {
  return {plain("canPackConvolution", canPackConvolution), plain("packConvolution", packConvolution),
          one("runPackedConvolution", runPackedConvolution), plain("releasePackedConvolution", releasePackedConvolution)};
}

}  // namespace secateur
