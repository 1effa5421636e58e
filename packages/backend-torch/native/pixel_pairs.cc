#include "pixel_pairs.h"

#ifdef __AVX512BF16__
#include <ATen/Parallel.h>
#include <immintrin.h>
#endif

namespace secateur {

#ifdef __AVX512BF16__

namespace {

constexpr int64_t kWidth = 3;      // taps of a filter's row
constexpr int64_t kInBlock = 8;    // input channels at a time: 3 x 8 registers hold sums
constexpr int64_t kOutBlock = 16;  // output channels in a register
constexpr int64_t kPackedBytes = 64 << 10;  // what the caches next to a core hold
constexpr int64_t kMinRows = 4;             // of a strip

int64_t roundUp(int64_t value, int64_t unit) { return (value + unit - 1) / unit * unit; }

using Pair = uint32_t;  // two neighbouring pixels of one channel, the left one in the low half

/**
 * Images packed as pairs: one block of channels after the other, each [images, rows, columns, channels of the block], so
 * that the products of a block read memory in order.
 */
struct Packed {
  int64_t images, rows, columns, width;  // width: channels of a block
  std::vector<Pair> pairs;

  Packed(int64_t channels, int64_t blockWidth, int64_t imageCount, int64_t rowCount, int64_t columnCount)
      : images(imageCount),
        rows(rowCount),
        columns(columnCount),
        width(blockWidth),
        pairs(static_cast<size_t>(roundUp(channels, 16) * images * rows * columns)) {}

  int64_t row() const { return columns * width; }
  int64_t image() const { return rows * row(); }
  int64_t block() const { return images * image(); }
  Pair* at(int64_t blockIndex, int64_t rowIndex) { return pairs.data() + blockIndex * block() + rowIndex * row(); }
};

/** One row of pixels -> the pairs that begin at the columns first, first + step, ... Outside of the row lie zeros. */
void packRow(const uint16_t* row, int64_t width, int64_t channels, int64_t first, int64_t step, Packed& to, int64_t toRow) {
  for (int64_t c = 0; c < channels; c += 16) {
    const __mmask16 valid = channels - c >= 16 ? 0xffff : static_cast<__mmask16>((1u << (channels - c)) - 1);
    const auto load = [&](int64_t column) {
      if (column < 0 || column >= width) return _mm512_setzero_si512();
      return _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(valid, row + column * channels + c));
    };
    Pair* low = to.at(c / to.width, toRow);
    Pair* high = to.width == 16 ? low + 8 : to.at(c / to.width + 1, toRow);
    __m512i left = load(first);
    for (int64_t k = 0; k < to.columns; ++k) {
      const int64_t column = first + k * step;
      const __m512i right = load(column + 1);
      const __m512i pairs = _mm512_or_si512(left, _mm512_slli_epi32(right, 16));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(low + k * to.width), _mm512_castsi512_si256(pairs));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(high + k * to.width), _mm512_extracti64x4_epi64(pairs, 1));
      left = step == 1 ? right : load(column + 2);
    }
  }
}

/** The rows of packed images that meet, at one block of channels. */
struct View {
  const Pair* first;
  int64_t image, row;
};

/** block [tap][i][o] += the products of all pairs. A local array, so that the compiler keeps it in registers. */
void addProducts(View x, View dy, int64_t images, int64_t rows, int64_t pairs, float* block) {
  __m512 sums[kWidth * kInBlock];
#pragma GCC unroll 24
  for (int64_t k = 0; k < kWidth * kInBlock; ++k) sums[k] = _mm512_loadu_ps(block + k * kOutBlock);
  for (int64_t image = 0; image < images; ++image) {
    for (int64_t r = 0; r < rows; ++r) {
      const Pair* xAt = x.first + image * x.image + r * x.row;
      const Pair* dyAt = dy.first + image * dy.image + r * dy.row;
      for (int64_t p = 0; p < pairs; ++p, xAt += 2 * kInBlock, dyAt += kOutBlock) {
        const auto gradient = (__m512bh)_mm512_loadu_si512(dyAt);
#pragma GCC unroll 24
        for (int64_t k = 0; k < kWidth * kInBlock; ++k) {
          sums[k] = _mm512_dpbf16_ps(sums[k], gradient, (__m512bh)_mm512_set1_epi32(static_cast<int>(xAt[k])));
        }
      }
    }
  }
#pragma GCC unroll 24
  for (int64_t k = 0; k < kWidth * kInBlock; ++k) _mm512_storeu_ps(block + k * kOutBlock, sums[k]);
}

int64_t blocks(int64_t channels, int64_t width) { return (channels + width - 1) / width; }

/** Adds the images [begin, end) to sums [filterH][inBlock][outBlock][tap][i][o], a few images or a strip of rows at a time. */
void addImages(const uint16_t* x, const uint16_t* dy, const SmallMap& map, int64_t in, int64_t out, int64_t begin, int64_t end, float* sums) {
  const int64_t pairs = (map.outW + 1) / 2, columns = 2 * pairs + kWidth - 1;
  const int64_t rowBytes = static_cast<int64_t>(sizeof(Pair)) * (roundUp(in, 16) * columns + roundUp(out, 16) * pairs);
  const int64_t strip = std::min(map.outH, std::max<int64_t>(kMinRows, kPackedBytes / rowBytes));
  const int64_t group = strip < map.outH ? 1 : std::min(end - begin, std::max<int64_t>(1, kPackedBytes / (rowBytes * map.outH)));
  Packed xPairs(in, kInBlock, group, strip + map.filterH - 1, columns), dyPairs(out, kOutBlock, group, strip, pairs);
  for (int64_t first = begin; first < end; first += group) {
    const int64_t images = std::min(group, end - first);
    for (int64_t top = 0; top < map.outH; top += strip) {
      const int64_t rows = std::min(strip, map.outH - top);
      for (int64_t image = 0; image < images; ++image) {
        for (int64_t r = 0; r < rows + map.filterH - 1; ++r) {
          const int64_t row = top + r - map.top;
          if (row < 0 || row >= map.inH) continue;
          packRow(x + ((first + image) * map.inH + row) * map.inW * in, map.inW, in, -map.left, 1, xPairs, image * xPairs.rows + r);
        }
        for (int64_t r = 0; r < rows; ++r) {
          packRow(dy + ((first + image) * map.outH + top + r) * map.outW * out, map.outW, out, 0, 2, dyPairs, image * dyPairs.rows + r);
        }
      }
      float* block = sums;
      for (int64_t tapY = 0; tapY < map.filterH; ++tapY) {
        // Row r of the strip meets row top + r + tapY - map.top of the input.
        const int64_t firstRow = std::max<int64_t>(0, map.top - tapY - top), lastRow = std::min(rows, map.inH + map.top - tapY - top);
        for (int64_t i = 0; i < blocks(in, kInBlock); ++i) {
          for (int64_t o = 0; o < blocks(out, kOutBlock); ++o, block += kWidth * kInBlock * kOutBlock) {
            const View xView{xPairs.at(i, firstRow + tapY), xPairs.image(), xPairs.row()};
            const View dyView{dyPairs.at(o, firstRow), dyPairs.image(), dyPairs.row()};
            addProducts(xView, dyView, images, lastRow - firstRow, pairs, block);
          }
        }
      }
    }
  }
}

}  // namespace

bool favoursPixelPairs(const SmallMap& map, int64_t in, int64_t out) { return map.filterW == kWidth && in >= kInBlock && in * out <= 128 * 128; }

at::Tensor filterGradientByPairs(const at::Tensor& x, const at::Tensor& dy, const SmallMap& map) {
  const int64_t in = x.size(3), out = dy.size(3), images = x.size(0);
  const int64_t inBlocks = blocks(in, kInBlock), outBlocks = blocks(out, kOutBlock);
  const at::Tensor xDense = x.contiguous(), dyDense = dy.contiguous();
  const auto* xData = static_cast<const uint16_t*>(xDense.data_ptr());
  const auto* dyData = static_cast<const uint16_t*>(dyDense.data_ptr());
  const int64_t threads = std::min<int64_t>(at::get_num_threads(), images), size = map.filterH * inBlocks * outBlocks * kWidth * kInBlock * kOutBlock;
  const at::Tensor sums = at::zeros({threads, size}, at::kFloat);
  at::parallel_for(0, threads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      addImages(xData, dyData, map, in, out, t * images / threads, (t + 1) * images / threads, sums.data_ptr<float>() + t * size);
    }
  });
  // [filterH, inBlock, outBlock, tap, i, o] -> [out, filterH, 3, in]
  return sums.sum(0)
      .view({map.filterH, inBlocks, outBlocks, kWidth, kInBlock, kOutBlock})
      .permute({2, 5, 0, 3, 1, 4})
      .reshape({outBlocks * kOutBlock, map.filterH, kWidth, inBlocks * kInBlock})
      .narrow(0, 0, out)
      .narrow(3, 0, in)
      .contiguous()
      .permute({1, 2, 3, 0});
}

#else

bool favoursPixelPairs(const SmallMap&, int64_t, int64_t) { return false; }

at::Tensor filterGradientByPairs(const at::Tensor&, const at::Tensor&, const SmallMap&) {
  TORCH_CHECK(false, "this processor multiplies no pairs of bfloat16 numbers");
}

#endif

}  // namespace secateur
