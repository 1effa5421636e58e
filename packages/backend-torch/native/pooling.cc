// Max and average pooling of NHWC activations. ATen keeps an int64 index per output for the gradient of max pooling;
// these find the maximum again instead, and send the gradient to the first one in row-major order as tfjs does.
#include <ATen/Parallel.h>

#include <algorithm>
#include <limits>

#include "allocator.h"
#include "floats.h"
#include "kernels.h"
#include "pool_window.h"

namespace secateur {

namespace {

/** The part of one window that lies inside the input. */
struct Inside {
  int64_t y0, y1, x0, x1;

  Inside(const PoolWindow& w, int64_t oy, int64_t ox, int64_t height, int64_t width) {
    const int64_t y = oy * w.strideH - w.top, x = ox * w.strideW - w.left;
    y0 = std::max<int64_t>(0, y);
    y1 = std::min(height, y + w.filterH);
    x0 = std::max<int64_t>(0, x);
    x1 = std::min(width, x + w.filterW);
  }
};

/** Sums of a whole image's gradient are kept in float, by every thread. */
void checkMemoryForSums(int64_t images, int64_t imageSize) {
  checkMemory(static_cast<size_t>(std::min<int64_t>(images, at::get_num_threads()) * imageSize) * sizeof(float));
}

/** Runs `work(image)` for every image, shared out over the threads. */
template <typename Work>
void forEachImage(int64_t images, Work work) {
  at::parallel_for(0, images, 1, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) work(n);
  });
}

template <typename T>
void maxPoolImage(const T* x, T* y, const PoolWindow& w, int64_t height, int64_t width, int64_t channels) {
  std::vector<float> best(static_cast<size_t>(channels));
  for (int64_t oy = 0; oy < w.outH; ++oy) {
    for (int64_t ox = 0; ox < w.outW; ++ox) {
      const Inside in(w, oy, ox, height, width);
      std::fill(best.begin(), best.end(), -std::numeric_limits<float>::infinity());
      for (int64_t iy = in.y0; iy < in.y1; ++iy) {
        for (int64_t ix = in.x0; ix < in.x1; ++ix) {
          const T* pixel = x + (iy * width + ix) * channels;
          for (int64_t c = 0; c < channels; ++c) {
            const float value = toFloat(pixel[c]);
            best[c] = value > best[c] ? value : best[c];
          }
        }
      }
      T* out = y + (oy * w.outW + ox) * channels;
      for (int64_t c = 0; c < channels; ++c) assign(out[c], best[c]);
    }
  }
}

/** (x, window) */
at::Tensor maxPool(Call& call) {
  const at::Tensor x = call.tensor(0).contiguous();
  const PoolWindow w(call.window(1));
  checkPool(x);
  const int64_t height = x.size(1), width = x.size(2), channels = x.size(3);
  at::Tensor y = at::empty({x.size(0), w.outH, w.outW, channels}, x.options());
  if (y.numel() == 0) return y;
  withStorageType(x, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T* from = x.data_ptr<T>();
    T* to = y.data_ptr<T>();
    forEachImage(x.size(0), [&](int64_t n) {
      maxPoolImage(from + n * height * width * channels, to + n * w.outH * w.outW * channels, w, height, width, channels);
    });
  });
  return y;
}

template <typename T>
void maxPoolGradImage(const T* dy, const T* x, T* dx, const PoolWindow& w, int64_t height, int64_t width, int64_t channels) {
  std::vector<float> best(static_cast<size_t>(channels)), total(static_cast<size_t>(height * width * channels), 0.0f);
  std::vector<int32_t> where(static_cast<size_t>(channels));
  for (int64_t oy = 0; oy < w.outH; ++oy) {
    for (int64_t ox = 0; ox < w.outW; ++ox) {
      const Inside in(w, oy, ox, height, width);
      std::fill(best.begin(), best.end(), -std::numeric_limits<float>::infinity());
      std::fill(where.begin(), where.end(), -1);
      for (int64_t iy = in.y0; iy < in.y1; ++iy) {
        for (int64_t ix = in.x0; ix < in.x1; ++ix) {
          const auto position = static_cast<int32_t>(iy * width + ix);
          const T* pixel = x + position * channels;
          for (int64_t c = 0; c < channels; ++c) {
            const float value = toFloat(pixel[c]);
            const bool better = value > best[c];
            best[c] = better ? value : best[c];
            where[c] = better ? position : where[c];
          }
        }
      }
      const T* gradient = dy + (oy * w.outW + ox) * channels;
      for (int64_t c = 0; c < channels; ++c) {
        if (where[c] >= 0) total[where[c] * channels + c] += toFloat(gradient[c]);
      }
    }
  }
  for (size_t i = 0; i < total.size(); ++i) assign(dx[i], total[i]);
}

/** Windows of 2x2 that tile the input, the common case: every input belongs to one window, so nothing is accumulated. */
template <typename T>
void maxPool2x2GradImage(const T* dy, const T* x, T* dx, const PoolWindow& w, int64_t width, int64_t channels) {
  for (int64_t oy = 0; oy < w.outH; ++oy) {
    for (int64_t ox = 0; ox < w.outW; ++ox) {
      const int64_t a = (2 * oy * width + 2 * ox) * channels, b = a + channels, c = a + width * channels, d = c + channels;
      const T* gradient = dy + (oy * w.outW + ox) * channels;
#pragma omp simd
      for (int64_t i = 0; i < channels; ++i) {
        const float va = toFloat(x[a + i]), vb = toFloat(x[b + i]), vc = toFloat(x[c + i]), vd = toFloat(x[d + i]);
        const float g = toFloat(gradient[i]);
        // A value takes the gradient when it beats all before it and none after it is larger; NaN and -infinity never do.
        const float floor = -std::numeric_limits<float>::infinity();
        const float bestA = va > floor ? va : floor;
        const float bestB = vb > bestA ? vb : bestA;
        const float bestC = vc > bestB ? vc : bestB;
        const bool takesD = vd > bestC;
        const bool takesC = !takesD & (vc > bestB);
        const bool takesB = !takesD & !takesC & (vb > bestA);
        const bool takesA = !takesD & !takesC & !takesB & (va > floor);
        assign(dx[a + i], takesA ? g : 0.0f);
        assign(dx[b + i], takesB ? g : 0.0f);
        assign(dx[c + i], takesC ? g : 0.0f);
        assign(dx[d + i], takesD ? g : 0.0f);
      }
    }
  }
}

/** (dy, x, window) */
at::Tensor maxPoolGrad(Call& call) {
  const at::Tensor x = call.tensor(1).contiguous();
  const at::Tensor dy = call.tensor(0).to(x.scalar_type()).contiguous();
  const PoolWindow w(call.window(2));
  checkPool(x);
  const int64_t height = x.size(1), width = x.size(2), channels = x.size(3);
  checkPoolGradient(dy, w, x.sizes());
  TORCH_CHECK(height * width < std::numeric_limits<int32_t>::max(), "the input is too large: ", x.sizes());
  const bool tiles = w.filterH == 2 && w.filterW == 2 && w.strideH == 2 && w.strideW == 2 && w.top == 0 && w.left == 0 &&
                     2 * w.outH == height && 2 * w.outW == width;
  checkMemoryForSums(x.size(0), height * width * channels);
  if (dy.numel() == 0) return at::zeros(x.sizes(), x.options());
  at::Tensor dx = at::empty(x.sizes(), x.options());
  withStorageType(x, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T *from = x.data_ptr<T>(), *gradient = dy.data_ptr<T>();
    T* to = dx.data_ptr<T>();
    forEachImage(x.size(0), [&](int64_t n) {
      const T* image = from + n * height * width * channels;
      const T* above = gradient + n * w.outH * w.outW * channels;
      T* out = to + n * height * width * channels;
      if (tiles) {
        maxPool2x2GradImage(above, image, out, w, width, channels);
      } else {
        maxPoolGradImage(above, image, out, w, height, width, channels);
      }
    });
  });
  return dx;
}

/** (x, window): the mean of what lies inside the input. */
at::Tensor avgPool(Call& call) {
  const at::Tensor x = call.tensor(0).contiguous();
  const PoolWindow w(call.window(1));
  checkPool(x);
  const int64_t height = x.size(1), width = x.size(2), channels = x.size(3);
  at::Tensor y = at::empty({x.size(0), w.outH, w.outW, channels}, x.options());
  if (y.numel() == 0) return y;
  withStorageType(x, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T* from = x.data_ptr<T>();
    T* to = y.data_ptr<T>();
    forEachImage(x.size(0), [&](int64_t n) {
      std::vector<float> total(static_cast<size_t>(channels));
      for (int64_t oy = 0; oy < w.outH; ++oy) {
        for (int64_t ox = 0; ox < w.outW; ++ox) {
          const Inside in(w, oy, ox, height, width);
          std::fill(total.begin(), total.end(), 0.0f);
          for (int64_t iy = in.y0; iy < in.y1; ++iy) {
            for (int64_t ix = in.x0; ix < in.x1; ++ix) {
              const T* pixel = from + ((n * height + iy) * width + ix) * channels;
              for (int64_t c = 0; c < channels; ++c) total[c] += toFloat(pixel[c]);
            }
          }
          const auto count = static_cast<float>(std::max<int64_t>(0, in.y1 - in.y0) * std::max<int64_t>(0, in.x1 - in.x0));
          T* out = to + ((n * w.outH + oy) * w.outW + ox) * channels;
          for (int64_t c = 0; c < channels; ++c) assign(out[c], total[c] / count);
        }
      }
    });
  });
  return y;
}

/** (dy, window, inputShape): every place of a window gets dy / (height * width of the window), as tfjs-backend-cpu has it. */
at::Tensor avgPoolGrad(Call& call) {
  const at::Tensor dy = call.tensor(0).contiguous();
  const PoolWindow w(call.window(1));
  const Integers shape = call.integers(2, 4);
  const int64_t height = shape[1], width = shape[2], channels = shape[3];
  checkPoolGradient(dy, w, shape);
  if (dy.numel() == 0) return at::zeros(shape, dy.options());
  at::Tensor dx = at::empty(shape, dy.options());
  checkMemoryForSums(shape[0], height * width * channels);
  const float share = 1.0f / static_cast<float>(w.filterH * w.filterW);
  withStorageType(dy, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T* gradient = dy.data_ptr<T>();
    T* to = dx.data_ptr<T>();
    forEachImage(shape[0], [&](int64_t n) {
      std::vector<float> total(static_cast<size_t>(height * width * channels), 0.0f);
      for (int64_t oy = 0; oy < w.outH; ++oy) {
        for (int64_t ox = 0; ox < w.outW; ++ox) {
          const Inside in(w, oy, ox, height, width);
          const T* above = gradient + ((n * w.outH + oy) * w.outW + ox) * channels;
          for (int64_t iy = in.y0; iy < in.y1; ++iy) {
            for (int64_t ix = in.x0; ix < in.x1; ++ix) {
              float* pixel = total.data() + (iy * width + ix) * channels;
              for (int64_t c = 0; c < channels; ++c) pixel[c] += toFloat(above[c]) * share;
            }
          }
        }
      }
      T* out = to + n * height * width * channels;
      for (size_t i = 0; i < total.size(); ++i) assign(out[i], total[i]);
    });
  });
  return dx;
}

}  // namespace

Functions poolingFunctions() {
  return {one("maxPool", maxPool), one("maxPoolGrad", maxPoolGrad), one("avgPool", avgPool), one("avgPoolGrad", avgPoolGrad)};
}

}  // namespace secateur
