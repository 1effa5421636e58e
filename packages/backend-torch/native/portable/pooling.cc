#include <limits>

#include "../kernels.h"
#include "../pool_window.h"

namespace secateur {

namespace {

constexpr double kLowest = -std::numeric_limits<double>::infinity();

/** Zeros, or another value, around an image, until the windows cover exactly it; negative where windows never reach. */
struct Frame {
  Integers sides;  // left, right, top, bottom

  Frame(const PoolWindow& w, int64_t height, int64_t width)
      : sides{w.left, (w.outW - 1) * w.strideW + w.filterW - width - w.left, w.top, (w.outH - 1) * w.strideH + w.filterH - height - w.top} {}

  at::Tensor around(const at::Tensor& nchw, double value) const {
    if (std::all_of(sides.begin(), sides.end(), [](int64_t side) { return side == 0; })) return nchw;
    // A side may be cut further than the image reaches, and grow again: first what is added, then what is cut.
    Integers added = sides, cut = sides;
    for (int64_t& side : added) side = std::max<int64_t>(side, 0);
    for (int64_t& side : cut) side = std::min<int64_t>(side, 0);
    return at::constant_pad_nd(at::constant_pad_nd(nchw, added, value), cut);
  }

  at::Tensor removedFrom(const at::Tensor& nchw) const {
    Integers added = sides, cut = sides;
    for (int64_t& side : added) side = -std::min<int64_t>(side, 0);
    for (int64_t& side : cut) side = -std::max<int64_t>(side, 0);
    return at::constant_pad_nd(at::constant_pad_nd(nchw, added), cut);
  }
};

at::Tensor toNchw(const at::Tensor& nhwc) { return nhwc.contiguous().permute({0, 3, 1, 2}); }
at::Tensor toNhwc(const at::Tensor& nchw) { return nchw.permute({0, 2, 3, 1}).contiguous(); }

Integers filterOf(const PoolWindow& w) { return {w.filterH, w.filterW}; }
Integers stridesOf(const PoolWindow& w) { return {w.strideH, w.strideW}; }

/** NaN is no maximum; where nothing is, the maximum is -infinity. */
at::Tensor framedForMaximum(const at::Tensor& x, const PoolWindow& w) {
  const at::Tensor framed = Frame(w, x.size(1), x.size(2)).around(toNchw(x), kLowest);
  return framed.masked_fill(framed.isnan(), kLowest);
}

/** (x, window) */
at::Tensor maxPool(Call& call) {
  const at::Tensor x = call.tensor(0);
  const PoolWindow w(call.window(1));
  checkPool(x);
  if (x.numel() == 0 || w.outH == 0 || w.outW == 0) return at::full({x.size(0), w.outH, w.outW, x.size(3)}, kLowest, x.options());
  return toNhwc(std::get<0>(at::max_pool2d_with_indices(framedForMaximum(x, w), filterOf(w), stridesOf(w))));
}

/** (dy, x, window) */
at::Tensor maxPoolGrad(Call& call) {
  const at::Tensor x = call.tensor(1), dy = call.tensor(0).to(x.scalar_type());
  const PoolWindow w(call.window(2));
  checkPool(x);
  checkPoolGradient(dy, w, x.sizes());
  if (dy.numel() == 0 || x.numel() == 0) return at::zeros(x.sizes(), x.options());
  const at::Tensor framed = framedForMaximum(x, w);
  const auto [y, indices] = at::max_pool2d_with_indices(framed, filterOf(w), stridesOf(w));
  // A window without a maximum passes nothing on.
  const at::Tensor passed = toNchw(dy).masked_fill(y.eq(kLowest), 0);
  const at::Tensor dx = at::max_pool2d_with_indices_backward(passed, framed, filterOf(w), stridesOf(w), {0, 0}, {1, 1}, /*ceil_mode=*/false, indices);
  return toNhwc(Frame(w, x.size(1), x.size(2)).removedFrom(dx));
}

at::Tensor sumsOfWindows(const at::Tensor& nchw, const PoolWindow& w) {
  return at::avg_pool2d(nchw, filterOf(w), stridesOf(w), {0, 0}, /*ceil_mode=*/false, /*count_include_pad=*/true, /*divisor_override=*/1);
}

/** (x, window): the mean of what lies inside the input. */
at::Tensor avgPool(Call& call) {
  const at::Tensor x = call.tensor(0);
  const PoolWindow w(call.window(1));
  checkPool(x);
  if (x.numel() == 0 || w.outH == 0 || w.outW == 0) {
    return at::full({x.size(0), w.outH, w.outW, x.size(3)}, std::numeric_limits<double>::quiet_NaN(), x.options());
  }
  const Frame frame(w, x.size(1), x.size(2));
  const at::Tensor counts = sumsOfWindows(frame.around(at::ones({1, 1, x.size(1), x.size(2)}, x.options().dtype(at::kFloat)), 0), w);
  const at::Tensor sums = sumsOfWindows(frame.around(toNchw(x.to(at::kFloat)), 0), w);
  return toNhwc((sums / counts).to(x.scalar_type()));
}

/** (dy, window, inputShape): every place of a window gets dy / (height * width of the window), as tfjs-backend-cpu has it. */
at::Tensor avgPoolGrad(Call& call) {
  const at::Tensor dy = call.tensor(0);
  const PoolWindow w(call.window(1));
  const Integers shape = call.integers(2, 4);
  checkPoolGradient(dy, w, shape);
  if (dy.numel() == 0) return at::zeros(shape, dy.options());
  const Frame frame(w, shape[1], shape[2]);
  const Integers framed = {shape[0], shape[3], (w.outH - 1) * w.strideH + w.filterH, (w.outW - 1) * w.strideW + w.filterW};
  // Only the sizes of the input are read.
  const at::Tensor sizes = at::empty(framed, dy.options().dtype(at::kFloat), at::MemoryFormat::ChannelsLast);
  const at::Tensor dx = at::avg_pool2d_backward(toNchw(dy.to(at::kFloat)), sizes, filterOf(w), stridesOf(w), {0, 0}, /*ceil_mode=*/false,
                                                /*count_include_pad=*/true, c10::nullopt);
  return toNhwc(frame.removedFrom(dx)).to(dy.scalar_type());
}

}  // namespace

Functions portablePoolingFunctions() {
  return {one("maxPool", maxPool), one("maxPoolGrad", maxPoolGrad), one("avgPool", avgPool), one("avgPoolGrad", avgPoolGrad)};
}

}  // namespace secateur
