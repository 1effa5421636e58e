#include "filter_layout.h"

#include <ATen/Parallel.h>

#include "device.h"

namespace secateur {

namespace {

constexpr int64_t kTile = 16;

/** [rows, columns] -> [columns, rows], tile by tile: whole cache lines are read and written. */
void transposeTiles(const float* __restrict from, float* __restrict to, int64_t rows, int64_t columns) {
  at::parallel_for(0, (columns + kTile - 1) / kTile, std::max<int64_t>(1, 32768 / (kTile * rows)), [=](int64_t begin, int64_t end) {
    float tile[kTile][kTile];
    for (int64_t column = begin * kTile; column < std::min(columns, end * kTile); column += kTile) {
      const int64_t width = std::min(kTile, columns - column);
      for (int64_t row = 0; row < rows; row += kTile) {
        const int64_t height = std::min(kTile, rows - row);
        for (int64_t r = 0; r < height; ++r) {
          for (int64_t c = 0; c < width; ++c) tile[c][r] = from[(row + r) * columns + column + c];
        }
        for (int64_t c = 0; c < width; ++c) std::copy_n(tile[c], height, to + (column + c) * rows + row);
      }
    }
  });
}

/** Channel by channel, because in ATen's gradients the taps of a channel lie together. */
void copyChannels(const at::Tensor& hwio, float* to) {
  const int64_t height = hwio.size(0), width = hwio.size(1), in = hwio.size(2), out = hwio.size(3);
  const float* from = hwio.data_ptr<float>();
  const int64_t strideY = hwio.stride(0), strideX = hwio.stride(1), strideIn = hwio.stride(2);
  at::parallel_for(0, out, std::max<int64_t>(1, 32768 / (height * width * in)), [&](int64_t begin, int64_t end) {
    for (int64_t o = begin; o < end; ++o) {
      const float* __restrict source = from + o * hwio.stride(3);
      float* __restrict target = to + o * height * width * in;
      for (int64_t i = 0; i < in; ++i) {
        for (int64_t y = 0; y < height; ++y) {
          for (int64_t x = 0; x < width; ++x) target[(y * width + x) * in + i] = source[i * strideIn + y * strideY + x * strideX];
        }
      }
    }
  });
}

}  // namespace

at::Tensor inFilterLayout(const at::Tensor& hwio) {
  if (hasFilterLayout(hwio)) return hwio;
  // ATen's general strided copy, which takes several times as long.
  if (!usesProcessorKernels() || hwio.scalar_type() != at::kFloat || hwio.numel() == 0) return hwio.permute({3, 0, 1, 2}).contiguous().permute({1, 2, 3, 0});
  const int64_t out = hwio.size(3), rows = hwio.size(0) * hwio.size(1) * hwio.size(2);
  at::Tensor result = at::empty({out, hwio.size(0), hwio.size(1), hwio.size(2)}, hwio.options());
  if (hwio.is_contiguous()) transposeTiles(hwio.data_ptr<float>(), result.data_ptr<float>(), rows, out);
  else copyChannels(hwio, result.data_ptr<float>());
  return result.permute({1, 2, 3, 0});
}

}  // namespace secateur
