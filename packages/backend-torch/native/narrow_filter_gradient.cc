#include "narrow_filter_gradient.h"

#ifdef __AVX512BW__
#include <ATen/Parallel.h>
#include <immintrin.h>
#endif

namespace secateur {

#ifdef __AVX512BW__

namespace {

constexpr int64_t kWidth = 3;      // taps of a filter's row
constexpr int64_t kInBlock = 8;    // input channels at a time: 3 x 8 registers hold sums
constexpr int64_t kOutBlock = 16;  // output channels in a register
constexpr int64_t kPackedBytes = 64 << 10;  // what the caches next to a core hold
constexpr int64_t kMinRows = 4;             // of a strip

int64_t blocks(int64_t count, int64_t width) { return (count + width - 1) / width; }

int64_t roundUp(int64_t value, int64_t unit) { return blocks(value, unit) * unit; }

/** What one lane of a register holds: one channel's number at one output pixel in float32, at two neighbouring ones in bfloat16. */
using Word = uint32_t;

struct Float32 {
  using Storage = float;
  static constexpr int64_t pixels = 1;
  static __m512i load(__mmask16 valid, const float* values) { return _mm512_maskz_loadu_epi32(valid, values); }
  static __m512i pack(__m512i left, __m512i) { return left; }
  static __m512 multiplyAdd(__m512i a, __m512i b, __m512 sum) { return _mm512_fmadd_ps(_mm512_castsi512_ps(a), _mm512_castsi512_ps(b), sum); }
};

#ifdef __AVX512BF16__
/** One instruction multiplies pairs of numbers and adds both products in float. */
struct Bfloat16 {
  using Storage = uint16_t;
  static constexpr int64_t pixels = 2;
  static __m512i load(__mmask16 valid, const uint16_t* values) { return _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(valid, values)); }
  static __m512i pack(__m512i left, __m512i right) { return _mm512_or_si512(left, _mm512_slli_epi32(right, 16)); }
  static __m512 multiplyAdd(__m512i a, __m512i b, __m512 sum) { return _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)b); }
};
#endif

/**
 * Packed images: one block of channels after the other, each [images, rows, columns, channels of the block], so that the
 * products of a block read memory in order.
 */
struct Packed {
  int64_t images, rows, columns, width;  // width: channels of a block
  std::vector<Word> words;

  Packed(int64_t channels, int64_t blockWidth, int64_t imageCount, int64_t rowCount, int64_t columnCount)
      : images(imageCount),
        rows(rowCount),
        columns(columnCount),
        width(blockWidth),
        words(static_cast<size_t>(roundUp(channels, 16) * images * rows * columns)) {}

  int64_t row() const { return columns * width; }
  int64_t image() const { return rows * row(); }
  int64_t block() const { return images * image(); }
  Word* at(int64_t blockIndex, int64_t rowIndex) { return words.data() + blockIndex * block() + rowIndex * row(); }
};

/** One row of pixels -> the words of the columns first, first + step, ...; a word's second pixel lies `gap` further on. Outside of the row lie zeros. */
template <typename Number>
void packRow(const typename Number::Storage* row, int64_t width, int64_t channels, int64_t first, int64_t step, int64_t gap, Packed& to, int64_t toRow) {
  for (int64_t c = 0; c < channels; c += 16) {
    const __mmask16 valid = channels - c >= 16 ? 0xffff : static_cast<__mmask16>((1u << (channels - c)) - 1);
    const auto load = [&](int64_t column) {
      if (column < 0 || column >= width) return _mm512_setzero_si512();
      return Number::load(valid, row + column * channels + c);
    };
    Word* low = to.at(c / to.width, toRow);
    Word* high = to.width == 16 ? low + 8 : to.at(c / to.width + 1, toRow);
    __m512i left = load(first);
    for (int64_t k = 0; k < to.columns; ++k) {
      const int64_t column = first + k * step;
      const __m512i right = load(column + gap);
      const __m512i word = Number::pack(left, right);
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(low + k * to.width), _mm512_castsi512_si256(word));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(high + k * to.width), _mm512_extracti64x4_epi64(word, 1));
      left = step == gap ? right : load(column + step);
    }
  }
}

/** The rows of packed images that meet, at one block of channels. */
struct View {
  const Word* first;
  int64_t image, row;
};

/** block [tap][i][o] += the products of all words. A local array, so that the compiler keeps it in registers. */
template <typename Number>
void addProducts(View x, View dy, int64_t images, int64_t rows, int64_t words, int64_t stride, float* block) {
  __m512 sums[kWidth * kInBlock];
#pragma GCC unroll 24
  for (int64_t k = 0; k < kWidth * kInBlock; ++k) sums[k] = _mm512_loadu_ps(block + k * kOutBlock);
  for (int64_t image = 0; image < images; ++image) {
    for (int64_t r = 0; r < rows; ++r) {
      const Word* xAt = x.first + image * x.image + r * x.row;
      const Word* dyAt = dy.first + image * dy.image + r * dy.row;
      for (int64_t w = 0; w < words; ++w, xAt += stride * Number::pixels * kInBlock, dyAt += kOutBlock) {
        const __m512i gradient = _mm512_loadu_si512(dyAt);
#pragma GCC unroll 24
        for (int64_t k = 0; k < kWidth * kInBlock; ++k) {
          sums[k] = Number::multiplyAdd(gradient, _mm512_set1_epi32(static_cast<int>(xAt[k])), sums[k]);
        }
      }
    }
  }
#pragma GCC unroll 24
  for (int64_t k = 0; k < kWidth * kInBlock; ++k) _mm512_storeu_ps(block + k * kOutBlock, sums[k]);
}

/** Adds the images [begin, end) to sums [filterH][inBlock][outBlock][tap][i][o], a few images or a strip of rows at a time. */
template <typename Number, typename Storage = typename Number::Storage>
void addImages(const Storage* x, const Storage* dy, const SmallMap& map, int64_t stride, int64_t in, int64_t out, int64_t begin, int64_t end, float* sums) {
  const int64_t words = (map.outW + Number::pixels - 1) / Number::pixels, columns = stride * Number::pixels * (words - 1) + kWidth;
  const int64_t rowBytes = static_cast<int64_t>(sizeof(Word)) * (roundUp(in, 16) * stride * columns + roundUp(out, 16) * words);
  const int64_t strip = std::min(map.outH, std::max<int64_t>(kMinRows, kPackedBytes / rowBytes));
  const int64_t group = strip < map.outH ? 1 : std::min(end - begin, std::max<int64_t>(1, kPackedBytes / (rowBytes * map.outH)));
  const auto rowsMet = [&](int64_t outRows) { return stride * (outRows - 1) + map.filterH; };
  Packed xPacked(in, kInBlock, group, rowsMet(strip), columns), dyPacked(out, kOutBlock, group, strip, words);
  for (int64_t first = begin; first < end; first += group) {
    const int64_t images = std::min(group, end - first);
    for (int64_t top = 0; top < map.outH; top += strip) {
      const int64_t rows = std::min(strip, map.outH - top);
      for (int64_t image = 0; image < images; ++image) {
        for (int64_t r = 0; r < rowsMet(rows); ++r) {
          const int64_t row = stride * top + r - map.top;
          if (row < 0 || row >= map.inH) continue;
          packRow<Number>(x + ((first + image) * map.inH + row) * map.inW * in, map.inW, in, -map.left, 1, stride, xPacked, image * xPacked.rows + r);
        }
        for (int64_t r = 0; r < rows; ++r) {
          packRow<Number>(dy + ((first + image) * map.outH + top + r) * map.outW * out, map.outW, out, 0, Number::pixels, 1, dyPacked, image * dyPacked.rows + r);
        }
      }
      float* block = sums;
      for (int64_t tapY = 0; tapY < map.filterH; ++tapY) {
        // Row r of the strip meets row stride * r - before of the input.
        const int64_t before = map.top - tapY - stride * top;
        const int64_t firstRow = blocks(std::max<int64_t>(0, before), stride), lastRow = std::min(rows, blocks(std::max<int64_t>(0, map.inH + before), stride));
        if (firstRow >= lastRow) {
          block += blocks(in, kInBlock) * blocks(out, kOutBlock) * kWidth * kInBlock * kOutBlock;
          continue;
        }
        for (int64_t i = 0; i < blocks(in, kInBlock); ++i) {
          for (int64_t o = 0; o < blocks(out, kOutBlock); ++o, block += kWidth * kInBlock * kOutBlock) {
            const View xView{xPacked.at(i, stride * firstRow + tapY), xPacked.image(), stride * xPacked.row()};
            const View dyView{dyPacked.at(o, firstRow), dyPacked.image(), dyPacked.row()};
            addProducts<Number>(xView, dyView, images, lastRow - firstRow, words, stride, block);
          }
        }
      }
    }
  }
}

/** The sums of all images, [threads, ...]. */
template <typename Number, typename Storage = typename Number::Storage>
at::Tensor addAllImages(const at::Tensor& x, const at::Tensor& dy, const SmallMap& map, int64_t stride) {
  const int64_t in = x.size(3), out = dy.size(3), images = x.size(0);
  const at::Tensor xDense = x.contiguous(), dyDense = dy.contiguous();
  const auto* xData = static_cast<const Storage*>(xDense.data_ptr());
  const auto* dyData = static_cast<const Storage*>(dyDense.data_ptr());
  const int64_t threads = std::min<int64_t>(at::get_num_threads(), images);
  const at::Tensor sums = at::zeros({threads, map.filterH, blocks(in, kInBlock), blocks(out, kOutBlock), kWidth, kInBlock, kOutBlock}, at::kFloat);
  at::parallel_for(0, threads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      addImages<Number>(xData, dyData, map, stride, in, out, t * images / threads, (t + 1) * images / threads, sums.data_ptr<float>() + t * sums.stride(0));
    }
  });
  return sums;
}

at::Tensor addAllImagesOfType(const at::Tensor& x, const at::Tensor& dy, const SmallMap& map, int64_t stride) {
#ifdef __AVX512BF16__
  if (x.scalar_type() == at::kBFloat16) return addAllImages<Bfloat16>(x, dy, map, stride);
#endif
  return addAllImages<Float32>(x, dy, map, stride);
}

bool canCompute(at::ScalarType type) {
#ifdef __AVX512BF16__
  if (type == at::kBFloat16) return true;
#endif
  return type == at::kFloat;
}

}  // namespace

bool favoursNarrowFilterGradient(const SmallMap& map, at::ScalarType type, int64_t in, int64_t out) {
  // Measured: in bfloat16 faster in spite of the padding of odd numbers of channels, in float32 not.
  const bool filled = type == at::kBFloat16 || (in % kInBlock == 0 && out % kOutBlock == 0);
  return canCompute(type) && filled && map.filterW == kWidth && in >= kInBlock && in * out <= 128 * 128;
}

at::Tensor narrowFilterGradient(const at::Tensor& x, const at::Tensor& dy, const SmallMap& map, int64_t stride) {
  const int64_t in = x.size(3), out = dy.size(3);
  // [filterH, inBlock, outBlock, tap, i, o] -> [out, filterH, 3, in]
  return addAllImagesOfType(x, dy, map, stride)
      .sum(0)
      .permute({2, 5, 0, 3, 1, 4})
      .reshape({roundUp(out, kOutBlock), map.filterH, kWidth, roundUp(in, kInBlock)})
      .narrow(0, 0, out)
      .narrow(3, 0, in)
      .contiguous()
      .permute({1, 2, 3, 0});
}

#else

bool favoursNarrowFilterGradient(const SmallMap&, at::ScalarType, int64_t, int64_t) { return false; }

at::Tensor narrowFilterGradient(const at::Tensor&, const at::Tensor&, const SmallMap&, int64_t) {
  TORCH_CHECK(false, "this processor has no AVX-512");
}

#endif

}  // namespace secateur
