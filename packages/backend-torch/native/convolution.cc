// Convolutions of NHWC activations with HWIO filters. ATen sees the same memory as channels-last NCHW, so that
// nothing is copied on the way in or out.
#include "activation.h"
#include "device.h"
#include "kernels.h"
#include "narrow_filter_gradient.h"
#include "precision.h"
#include "small_map.h"

namespace secateur {

namespace {

/** Padding at the top and left, and the output's size; what the bottom and right need follows. */
struct Geometry {
  int64_t strideH, strideW, top, left, dilationH, dilationW, outH, outW;

  explicit Geometry(const Integers& v)
      : strideH(v[0]), strideW(v[1]), top(v[2]), left(v[3]), dilationH(v[4]), dilationW(v[5]), outH(v[6]), outW(v[7]) {
    TORCH_CHECK(strideH > 0 && strideW > 0 && dilationH > 0 && dilationW > 0, "expected positive strides and dilations");
    TORCH_CHECK(outH >= 0 && outW >= 0, "the filter is larger than its padded input");
  }
};

/** Zeros around an image; where a number is negative, that much is cut off, be it more than there was before the zeros. */
at::Tensor grow(const at::Tensor& nchw, const Integers& sides) {
  Integers zeros = sides, cuts = sides;
  for (int64_t& side : zeros) side = std::max<int64_t>(side, 0);
  for (int64_t& side : cuts) side = std::min<int64_t>(side, 0);
  const auto isNone = [](int64_t side) { return side == 0; };
  const at::Tensor grown = std::all_of(zeros.begin(), zeros.end(), isNone) ? nchw : at::constant_pad_nd(nchw, zeros);
  return std::all_of(cuts.begin(), cuts.end(), isNone) ? grown : at::constant_pad_nd(grown, cuts);
}

/** How one input size meets a geometry: either the same padding on both sides, or explicit ones (negative: rows never read). */
struct Padding {
  bool symmetric;
  int64_t top, bottom, left, right;

  Padding(const Geometry& g, int64_t height, int64_t width, int64_t filterH, int64_t filterW)
      : top(g.top), left(g.left) {
    const int64_t reachH = g.dilationH * (filterH - 1) + 1, reachW = g.dilationW * (filterW - 1) + 1;
    bottom = (g.outH - 1) * g.strideH + reachH - height - top;
    right = (g.outW - 1) * g.strideW + reachW - width - left;
    const auto fits = [](int64_t size, int64_t pad, int64_t reach, int64_t stride, int64_t out) {
      return pad >= 0 && size + 2 * pad >= reach && (size + 2 * pad - reach) / stride + 1 == out;
    };
    symmetric = fits(height, top, reachH, g.strideH, g.outH) && fits(width, left, reachW, g.strideW, g.outW);
  }

  Integers both() const { return symmetric ? Integers{top, left} : Integers{0, 0}; }
  at::Tensor pad(const at::Tensor& nchw) const {
    return symmetric ? nchw : grow(nchw, {left, right, top, bottom});
  }
  at::Tensor unpad(const at::Tensor& nchw) const {
    return symmetric ? nchw : grow(nchw, {-left, -right, -top, -bottom});
  }
};

at::Tensor toNchw(const at::Tensor& nhwc) { return nhwc.contiguous().permute({0, 3, 1, 2}); }
at::Tensor toNhwc(const at::Tensor& nchw) { return nchw.permute({0, 2, 3, 1}).contiguous(); }

void checkRank4(const at::Tensor& tensor, const char* role) {
  TORCH_CHECK(tensor.dim() == 4, "expected ", role, " of rank 4, but got shape ", tensor.sizes());
}

/** The filter as ATen wants it, and the way back for its gradient. */
struct Layout {
  int64_t (*groups)(at::IntArrayRef hwio);
  Integers (*oihwShape)(at::IntArrayRef hwio);
  at::Tensor (*read)(Call& call, size_t position);
  at::Tensor (*toOihw)(const at::Tensor& hwio);
  at::Tensor (*toHwio)(const at::Tensor& oihw, at::IntArrayRef shape);
};

const Layout kDense = {
    [](at::IntArrayRef) -> int64_t { return 1; },
    [](at::IntArrayRef hwio) { return Integers{hwio[3], hwio[2], hwio[0], hwio[1]}; },
    [](Call& call, size_t position) { return call.filter(position); },
    [](const at::Tensor& hwio) { return hwio.permute({3, 2, 0, 1}); },
    [](const at::Tensor& oihw, at::IntArrayRef) { return oihw.permute({2, 3, 1, 0}); },
};

/** Depthwise: [height, width, channels, multiplier], output channel = channel * multiplier + m. */
const Layout kDepthwise = {
    [](at::IntArrayRef hwio) { return hwio[2]; },
    [](at::IntArrayRef hwio) { return Integers{hwio[2] * hwio[3], 1, hwio[0], hwio[1]}; },
    [](Call& call, size_t position) { return call.tensor(position); },
    [](const at::Tensor& hwio) {
      return hwio.permute({2, 3, 0, 1}).reshape({hwio.size(2) * hwio.size(3), 1, hwio.size(0), hwio.size(1)});
    },
    [](const at::Tensor& oihw, at::IntArrayRef shape) {
      return oihw.reshape({shape[2], shape[3], shape[0], shape[1]}).permute({2, 3, 0, 1});
    },
};

/** What the kernels beside oneDNN want to know of a convolution of this stride, or nothing if it is not one of theirs. */
c10::optional<SmallMap> mapOfStride(int64_t stride, const Geometry& g, int64_t groups, at::IntArrayRef hwio, int64_t inH, int64_t inW) {
  if (!usesProcessorKernels() || groups != 1 || g.strideH != stride || g.strideW != stride || g.dilationH != 1 || g.dilationW != 1) return c10::nullopt;
  return SmallMap{hwio[0], hwio[1], inH, inW, g.outH, g.outW, g.top, g.left};
}

c10::optional<SmallMap> smallMap(const Geometry& g, int64_t groups, at::IntArrayRef hwio, int64_t inH, int64_t inW) {
  return mapOfStride(1, g, groups, hwio, inH, inW);
}

/** (x, filter, bias | null, geometry, bfloat16, activation, leakyReluAlpha) */
template <const Layout& layout>
at::Tensor forward(Call& call) {
  const at::Tensor x = call.tensor(0), filter = layout.read(call, 1);
  const auto bias = call.optionalTensor(2);
  const Geometry g(call.window(3));
  const bool bfloat16 = call.flag(4);
  checkRank4(x, "x");
  checkRank4(filter, "filter");
  const at::Tensor weight = computeIn(layout.toOihw(filter), bfloat16);
  const Padding padding(g, x.size(1), x.size(2), filter.size(0), filter.size(1));
  const MaybeTensor shift = computeIn(bias, bfloat16);
  TORCH_CHECK(!shift || (shift->dim() == 1 && shift->size(0) == weight.size(0)), "expected a bias of shape [", weight.size(0), "]");
  if (x.numel() == 0 || g.outH == 0 || g.outW == 0 || weight.numel() == 0) {
    const at::Tensor y = at::zeros({x.size(0), g.outH, g.outW, weight.size(0)}, weight.options());
    return activate(shift ? y.add(*shift) : y, call.text(5), call.number(6));
  }
  const int64_t groups = layout.groups(filter.sizes());
  TORCH_CHECK(x.size(3) == weight.size(1) * groups, "the filter takes ", weight.size(1) * groups, " channels, but x has ", x.size(3));
  const auto map = smallMap(g, groups, filter.sizes(), x.size(1), x.size(2));
  if (map && map->isDense()) {
    const at::Tensor hwio = weight.permute({2, 3, 1, 0});
    const at::Tensor y = bfloat16 ? denseMapForward(computeIn(x, true), hwio, *map) : forwardByTap(computeIn(x, false), hwio, *map);
    return activate(shift ? y.add(*shift) : y, call.text(5), call.number(6));
  }
  const at::Tensor input = padding.pad(toNchw(computeIn(x, bfloat16)));
  const Integers strides = {g.strideH, g.strideW}, dilations = {g.dilationH, g.dilationW};
  // at::convolution leaves oneDNN for BLAS when the input is small or there is one thread, which is many times slower.
  const at::Tensor y = usesProcessorKernels() && at::globalContext().hasMKLDNN() && !bfloat16
                           ? at::mkldnn_convolution(input, weight.contiguous(at::MemoryFormat::ChannelsLast), shift, padding.both(), strides, dilations, groups)
                           : at::convolution(input, weight, shift, strides, padding.both(), dilations, /*transposed=*/false, {0, 0}, groups);
  return activate(toNhwc(y), call.text(5), call.number(6));
}

/** (dy, filter, geometry, bfloat16, inputShape) */
template <const Layout& layout>
at::Tensor inputGradient(Call& call) {
  const at::Tensor dy = call.tensor(0), filter = layout.read(call, 1);
  const Geometry g(call.window(2));
  const bool bfloat16 = call.flag(3);
  const Integers shape = call.integers(4, 4);
  checkRank4(dy, "dy");
  checkRank4(filter, "filter");
  const Padding padding(g, shape[1], shape[2], filter.size(0), filter.size(1));
  const at::Tensor weight = computeIn(layout.toOihw(filter), bfloat16);
  TORCH_CHECK(dy.size(3) == weight.size(0) && dy.size(0) == shape[0] && dy.size(1) == g.outH && dy.size(2) == g.outW && shape[3] == filter.size(2),
              "dy ", dy.sizes(), " does not belong to a filter ", filter.sizes(), " over an input ", shape);
  if (dy.numel() == 0) return at::zeros(shape, weight.options());
  const auto map = smallMap(g, layout.groups(filter.sizes()), filter.sizes(), shape[1], shape[2]);
  if (map && map->isDense()) {
    const at::Tensor hwio = weight.permute({2, 3, 1, 0});
    return bfloat16 ? denseMapInputGradient(computeIn(dy, true), hwio, *map) : inputGradientByTap(computeIn(dy, false), hwio, *map);
  }
  const int64_t height = padding.symmetric ? shape[1] : shape[1] + padding.top + padding.bottom;
  const int64_t width = padding.symmetric ? shape[2] : shape[2] + padding.left + padding.right;
  // Only the sizes of the input are read for this gradient.
  const at::Tensor sizes = at::empty({shape[0], shape[3], height, width}, weight.options(), at::MemoryFormat::ChannelsLast);
  const at::Tensor dx = std::get<0>(at::convolution_backward(
      toNchw(computeIn(dy, bfloat16)), sizes, weight, at::OptionalIntArrayRef(), {g.strideH, g.strideW}, padding.both(), {g.dilationH, g.dilationW},
      /*transposed=*/false, {0, 0}, layout.groups(filter.sizes()), {true, false, false}));
  return toNhwc(padding.unpad(dx));
}

/** (x, dy, geometry, bfloat16, filterShape) */
template <const Layout& layout>
at::Tensor filterGradient(Call& call) {
  const at::Tensor x = call.tensor(0), dy = call.tensor(1);
  const Geometry g(call.window(2));
  const bool bfloat16 = call.flag(3);
  const Integers shape = call.integers(4, 4);
  checkRank4(x, "x");
  checkRank4(dy, "dy");
  if (x.numel() == 0 || dy.numel() == 0) return at::zeros(shape, ofType(at::kFloat));
  const Padding padding(g, x.size(1), x.size(2), shape[0], shape[1]);
  const auto type = bfloat16 ? at::kBFloat16 : at::kFloat;
  const at::Tensor weight = at::empty(layout.oihwShape(shape), ofType(type));
  TORCH_CHECK(dy.size(3) == weight.size(0) && dy.size(0) == x.size(0) && dy.size(1) == g.outH && dy.size(2) == g.outW && x.size(3) == shape[2],
              "dy ", dy.sizes(), " does not belong to a filter ", shape, " over an input ", x.sizes());
  const auto strided = mapOfStride(g.strideH, g, layout.groups(shape), shape, x.size(1), x.size(2));
  if (strided && favoursNarrowFilterGradient(*strided, type, shape[2], shape[3])) {
    return narrowFilterGradient(computeIn(x, bfloat16), computeIn(dy, bfloat16), *strided, g.strideH);
  }
  const auto map = smallMap(g, layout.groups(shape), shape, x.size(1), x.size(2));
  if (map && map->favoursProductsPerTap()) return filterGradientByTap(computeIn(x, bfloat16), computeIn(dy, bfloat16), *map);
  const at::Tensor dw = std::get<1>(at::convolution_backward(
      toNchw(computeIn(dy, bfloat16)), padding.pad(toNchw(computeIn(x, bfloat16))), weight, at::OptionalIntArrayRef(), {g.strideH, g.strideW},
      padding.both(), {g.dilationH, g.dilationW}, /*transposed=*/false, {0, 0}, layout.groups(shape), {false, true, false}));
  return layout.toHwio(dw.to(at::kFloat), shape);
}

}  // namespace

Functions convolutionFunctions() {
  return {one("conv2d", forward<kDense>),
          one("conv2dInputGradient", inputGradient<kDense>),
          one("conv2dFilterGradient", filterGradient<kDense>),
          one("depthwiseConv2d", forward<kDepthwise>),
          one("depthwiseConv2dInputGradient", inputGradient<kDepthwise>),
          one("depthwiseConv2dFilterGradient", filterGradient<kDepthwise>)};
}

}  // namespace secateur
