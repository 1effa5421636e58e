#include "narrow_convolution.h"

#ifdef __AVX512BW__
#include <ATen/Parallel.h>
#include <immintrin.h>

#include "floats.h"
#endif

namespace secateur {

#ifdef __AVX512BW__

namespace {

constexpr int64_t kInWords = 8;    // words of one pixel in a block of input channels
constexpr int64_t kOutBlock = 16;  // output channels in a register
constexpr int64_t kPackedBytes = 128 << 10;  // what the caches next to a core hold
constexpr int64_t kMinRows = 4;              // of a strip
constexpr int64_t kWorthSharing = 4096;      // words; fewer are packed sooner than a thread starts

int64_t blocks(int64_t channels, int64_t width) { return (channels + width - 1) / width; }

/** What one lane multiplies at once: one number in float32, those of two neighbouring channels in bfloat16. */
using Word = uint32_t;

// Written in assembly because compilers load each pixel once for all taps, run out of registers, and keep it on the stack.

struct Float32 {
  using Storage = float;
  static constexpr int64_t numbers = 1;
  static __m512 multiplyAdd(__m512i filter, const Word& pixel, __m512 sums) {
    asm("vfmadd231ps %2%{1to16%}, %1, %0" : "+v"(sums) : "v"(filter), "m"(pixel));
    return sums;
  }
  static __m256i load(__mmask16 valid, const float* values) { return _mm256_maskz_loadu_epi32(static_cast<__mmask8>(valid), values); }
  static __m512 loadFloats(__mmask16 valid, const float* values) { return _mm512_maskz_loadu_ps(valid, values); }
  static void store(float* values, __mmask16 valid, __m512 sums) { _mm512_mask_storeu_ps(values, valid, sums); }
};

#ifdef __AVX512BF16__
struct Bfloat16 {
  using Storage = c10::BFloat16;
  static constexpr int64_t numbers = 2;
  static __m512 multiplyAdd(__m512i filter, const Word& pixel, __m512 sums) {
    asm("vdpbf16ps %2%{1to16%}, %1, %0" : "+v"(sums) : "v"(filter), "m"(pixel));
    return sums;
  }
  static __m256i load(__mmask16 valid, const c10::BFloat16* values) { return _mm256_maskz_loadu_epi16(valid, values); }
  static __m512 loadFloats(__mmask16 valid, const c10::BFloat16* values) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(valid, values)), 16));
  }
  static void store(c10::BFloat16* values, __mmask16 valid, __m512 sums) { _mm256_mask_storeu_epi16(values, valid, (__m256i)_mm512_cvtneps_pbh(sums)); }
};
#endif

template <typename Number>
constexpr int64_t inBlock() {
  return kInWords * Number::numbers;
}

__mmask16 firstOf(int64_t count) { return count >= 16 ? 0xffff : static_cast<__mmask16>((1u << count) - 1); }

/** Rows of an image with the zeros around it, [blocks of channels, rows, columns, words]. */
struct Strip {
  int64_t rows, columns, blocks;
  std::vector<Word> words;

  Strip(int64_t rowCount, int64_t columnCount, int64_t blockCount)
      : rows(rowCount), columns(columnCount), blocks(blockCount), words(static_cast<size_t>(rowCount * columnCount * blockCount * kInWords)) {}

  int64_t row() const { return columns * kInWords; }
  int64_t block() const { return rows * row(); }
};

/** Row `to` of the strip <- a row of an image, or zeros for a null pointer. */
template <typename Number>
void packRow(const typename Number::Storage* row, int64_t width, int64_t channels, int64_t left, Strip& strip, int64_t to) {
  for (int64_t b = 0; b < strip.blocks; ++b) {
    Word* at = strip.words.data() + b * strip.block() + to * strip.row();
    const __mmask16 valid = firstOf(channels - b * inBlock<Number>());
    const int64_t begin = row ? std::min(left, strip.columns) : strip.columns, end = std::min(strip.columns, left + width);
    for (int64_t c = 0; c < begin; ++c, at += kInWords) _mm256_storeu_si256(reinterpret_cast<__m256i*>(at), _mm256_setzero_si256());
    if (!row) continue;
    const typename Number::Storage* from = row + b * inBlock<Number>();
    for (int64_t c = begin; c < end; ++c, at += kInWords, from += channels) _mm256_storeu_si256(reinterpret_cast<__m256i*>(at), Number::load(valid, from));
    for (int64_t c = end; c < strip.columns; ++c, at += kInWords) _mm256_storeu_si256(reinterpret_cast<__m256i*>(at), _mm256_setzero_si256());
  }
}

/** What all tiles of a convolution have in common. */
struct Plan {
  int64_t height, width, out;
  const Word* filter;
  const float* bias;  // of all blocks
  Rectifier relu;
};

/** Where a tile lies in the output, and in what is added to it (or null). */
template <typename Storage>
struct Target {
  Storage* y;
  const Storage* residual;

  Target at(int64_t offset) const { return {y + offset, residual ? residual + offset : nullptr}; }
};

/** kColumns neighbouring pixels of one row, one block of output channels. Local arrays, so that they stay in registers. */
template <typename Number, int64_t kColumns>
void computeTile(const Plan& plan, const Strip& strip, int64_t row, int64_t column, int64_t outBlock, Target<typename Number::Storage> target) {
  __m512 sums[kColumns];
  const __m512 bias = _mm512_loadu_ps(plan.bias + outBlock * kOutBlock);
#pragma GCC unroll 8
  for (int64_t p = 0; p < kColumns; ++p) sums[p] = bias;
  const Word* filter = plan.filter + outBlock * strip.blocks * plan.height * plan.width * kInWords * kOutBlock;
  for (int64_t b = 0; b < strip.blocks; ++b) {
    for (int64_t r = 0; r < plan.height; ++r) {
      const Word* pixels = strip.words.data() + b * strip.block() + (row + r) * strip.row() + column * kInWords;
      for (int64_t s = 0; s < plan.width; ++s, pixels += kInWords, filter += kInWords * kOutBlock) {
#pragma GCC unroll 8
        for (int64_t k = 0; k < kInWords; ++k) {
          const __m512i weights = _mm512_loadu_si512(filter + k * kOutBlock);
#pragma GCC unroll 8
          for (int64_t p = 0; p < kColumns; ++p) sums[p] = Number::multiplyAdd(weights, pixels[p * kInWords + k], sums[p]);
        }
      }
    }
  }
  const __mmask16 valid = firstOf(plan.out - outBlock * kOutBlock);
#pragma GCC unroll 8
  for (int64_t p = 0; p < kColumns; ++p) {
    const auto to = target.at(p * plan.out + outBlock * kOutBlock);
    __m512 value = sums[p];
    if (to.residual) value = _mm512_add_ps(value, Number::loadFloats(valid, to.residual));
    // In this order of arguments NaN stays NaN.
    if (plan.relu.isOn) value = _mm512_min_ps(_mm512_set1_ps(plan.relu.most), _mm512_max_ps(_mm512_setzero_ps(), value));
    Number::store(to.y, valid, value);
  }
}

template <typename Number, int64_t kColumns>
void computeRows(const Plan& plan, const Strip& strip, int64_t rows, int64_t outW, Target<typename Number::Storage> target) {
  for (int64_t o = 0; o < blocks(plan.out, kOutBlock); ++o) {
    for (int64_t r = 0; r < rows; ++r) {
      // The last tile of a row begins early enough to be whole; what it shares with the one before is computed twice.
      for (int64_t c = 0; c < outW; c += kColumns) {
        const int64_t column = std::min(c, outW - kColumns);
        computeTile<Number, kColumns>(plan, strip, r, column, o, target.at((r * outW + column) * plan.out));
      }
    }
  }
}

template <typename Number, typename Storage = typename Number::Storage>
at::Tensor convolve(const at::Tensor& x, const NarrowFilter& filter, const MaybeTensor& bias, const MaybeTensor& residual, const SmallMap& map, const Rectifier& relu) {
  const at::Tensor dense = x.contiguous();
  const MaybeTensor added = residual ? MaybeTensor(residual->contiguous()) : c10::nullopt;
  const at::Tensor y = at::empty({x.size(0), map.outH, map.outW, filter.out}, x.options());
  const at::Tensor shift = at::zeros({blocks(filter.out, kOutBlock) * kOutBlock}, at::kFloat);
  if (bias) shift.narrow(0, 0, filter.out).copy_(*bias);
  const Plan plan{filter.height, filter.width, filter.out, static_cast<const Word*>(filter.words.data_ptr()), shift.data_ptr<float>(), relu};
  const auto* xData = static_cast<const Storage*>(dense.data_ptr());
  const Target<Storage> target{static_cast<Storage*>(y.data_ptr()), added ? static_cast<const Storage*>(added->data_ptr()) : nullptr};

  const int64_t images = x.size(0), columns = map.outW + filter.width - 1, blockCount = blocks(filter.in, inBlock<Number>());
  const int64_t rowBytes = columns * blockCount * kInWords * static_cast<int64_t>(sizeof(Word));
  const int64_t perThread = blocks(images * map.outH, at::get_num_threads());
  const int64_t fitting = std::max(kMinRows, kPackedBytes / rowBytes - (filter.height - 1));
  const int64_t rows = std::min({map.outH, fitting, std::max(kMinRows, perThread)});
  const int64_t strips = blocks(map.outH, rows);
  at::parallel_for(0, images * strips, 1, [&](int64_t begin, int64_t end) {
    Strip strip(rows + filter.height - 1, columns, blockCount);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t image = i / strips, top = i % strips * rows, count = std::min(rows, map.outH - top);
      for (int64_t r = 0; r < count + filter.height - 1; ++r) {
        const int64_t row = top + r - map.top;
        const bool isInside = row >= 0 && row < map.inH;
        packRow<Number>(isInside ? xData + (image * map.inH + row) * map.inW * filter.in : nullptr, map.inW, filter.in, map.left, strip, r);
      }
      const auto to = target.at((image * map.outH + top) * map.outW * filter.out);
      if (map.outW >= 8) computeRows<Number, 8>(plan, strip, count, map.outW, to);
      else computeRows<Number, 4>(plan, strip, count, map.outW, to);
    }
  });
  return y;
}

/** The word of the input channels from i on that meets output channel o. */
template <typename T>
Word wordAt(const T* tap, int64_t i, int64_t o, at::IntArrayRef strides, int64_t in, const Float32*) {
  const float value = i < in ? toFloat(tap[i * strides[2] + o * strides[3]]) : 0.0f;
  Word word;
  std::memcpy(&word, &value, sizeof word);
  return word;
}

#ifdef __AVX512BF16__
template <typename T>
Word wordAt(const T* tap, int64_t i, int64_t o, at::IntArrayRef strides, int64_t in, const Bfloat16*) {
  c10::BFloat16 low(0), high(0);
  if (i < in) assign(low, toFloat(tap[i * strides[2] + o * strides[3]]));
  if (i + 1 < in) assign(high, toFloat(tap[(i + 1) * strides[2] + o * strides[3]]));
  return static_cast<Word>(high.x) << 16 | low.x;
}
#endif

/** [outBlocks, inBlocks, height, width, words, 16] */
template <typename Number>
NarrowFilter pack(const at::Tensor& filter, at::ScalarType type) {
  const int64_t height = filter.size(0), width = filter.size(1), in = filter.size(2), out = filter.size(3);
  const int64_t inBlocks = blocks(in, inBlock<Number>()), outBlocks = blocks(out, kOutBlock);
  const at::Tensor words = at::empty({outBlocks, inBlocks, height, width, kInWords, kOutBlock}, at::kInt);
  auto* packed = reinterpret_cast<Word*>(words.data_ptr<int32_t>());
  const int64_t wordsOfBlock = inBlocks * height * width * kInWords * kOutBlock;
  withStorageType(filter, [&](auto* storage) {
    using T = std::remove_pointer_t<decltype(storage)>;
    const T* values = filter.data_ptr<T>();
    const auto strides = filter.strides();
    at::parallel_for(0, outBlocks, blocks(kWorthSharing, wordsOfBlock), [&](int64_t begin, int64_t end) {
      Word* at = packed + begin * wordsOfBlock;
      for (int64_t ob = begin; ob < end; ++ob) {
        for (int64_t ib = 0; ib < inBlocks; ++ib) {
          for (int64_t t = 0; t < height * width; ++t) {
            const T* tap = values + t / width * strides[0] + t % width * strides[1];
            for (int64_t k = 0; k < kInWords; ++k) {
              for (int64_t o = ob * kOutBlock; o < (ob + 1) * kOutBlock; ++o) {
                const int64_t i = ib * inBlock<Number>() + k * Number::numbers;
                *at++ = o < out ? wordAt(tap, i, o, strides, in, static_cast<const Number*>(nullptr)) : 0;
              }
            }
          }
        }
      }
    });
  });
  return {words, type, height, width, in, out};
}

bool canCompute(at::ScalarType type) {
#ifdef __AVX512BF16__
  if (type == at::kBFloat16) return true;
#endif
  return type == at::kFloat;
}

}  // namespace

bool favoursNarrowConvolution(const SmallMap& map, at::ScalarType type, int64_t images, int64_t in, int64_t out) {
  // Measured: for many images in float32, oneDNN's arithmetic gains more than fewer passes over the maps.
  return canCompute(type) && (type == at::kBFloat16 || images <= 8) && map.filterH * map.filterW > 1 && in >= 8 && out >= 8 && in * out <= 64 * 64 && map.outW >= 4 && map.left >= 0;
}

NarrowFilter packNarrowFilter(const at::Tensor& filter, at::ScalarType type) {
#ifdef __AVX512BF16__
  if (type == at::kBFloat16) return pack<Bfloat16>(filter, type);
#endif
  return pack<Float32>(filter, type);
}

at::Tensor narrowConvolution(const at::Tensor& x, const NarrowFilter& filter, const MaybeTensor& bias, const MaybeTensor& residual, const SmallMap& map,
                             const Rectifier& relu) {
#ifdef __AVX512BF16__
  if (filter.type == at::kBFloat16) return convolve<Bfloat16>(x, filter, bias, residual, map, relu);
#endif
  return convolve<Float32>(x, filter, bias, residual, map, relu);
}

#else

bool favoursNarrowConvolution(const SmallMap&, at::ScalarType, int64_t, int64_t, int64_t) { return false; }

NarrowFilter packNarrowFilter(const at::Tensor&, at::ScalarType) { TORCH_CHECK(false, "this processor has no AVX-512"); }

at::Tensor narrowConvolution(const at::Tensor&, const NarrowFilter&, const MaybeTensor&, const MaybeTensor&, const SmallMap&, const Rectifier&) {
  TORCH_CHECK(false, "this processor has no AVX-512");
}

#endif

}  // namespace secateur
