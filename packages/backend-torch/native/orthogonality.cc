// Convolutional orthogonality of 3x3 kernels and its gradient, computed per frequency.
//
//   R(d) = sum over taps t of K(t) K(t+d)^T - I[d = 0],  d in {-1, 0, 1}^2,  K(t) the [out, in] matrix of tap t
//   loss = sqrt(sum over d of ||R(d)||^2),  gradient at tap t = 2 / loss * sum over d of R(d) K(t+d)
//
// Taps placed on a cyclic 4x4 grid: lags -1, 0 and 1 do not alias there (only +-2 do), so both sums are cyclic
// correlations and become one matrix product per frequency. The factors of a length-4 transform are 1, i, -1, -i: it only
// adds. Of the 16 frequencies 4 are real and 12 are 6 conjugate pairs; a complex product costs three real ones. In all
// 44 products of out x out x in, against 29 + 49 for the sums as they stand, and exact up to rounding.
#include <ATen/Parallel.h>

#include <array>
#include <cmath>
#include <numeric>

#include "floats.h"
#include "gemm.h"
#include "kernels.h"

namespace secateur {

namespace {

struct Grid {
  int y, x;
};

constexpr std::array<Grid, 4> kReal = {{{0, 0}, {0, 2}, {2, 0}, {2, 2}}};
constexpr std::array<Grid, 6> kPairs = {{{1, 0}, {1, 1}, {1, 2}, {1, 3}, {0, 1}, {2, 1}}};
/** Half of the lags; R(-d) is the transpose of R(d). The first is the centre. */
constexpr std::array<Grid, 5> kLags = {{{0, 0}, {0, 1}, {1, -1}, {1, 0}, {1, 1}}};
constexpr int kTaps = 9;
constexpr float kPoints = 16;

constexpr Grid tap(int t) { return {t / 3, t % 3}; }

/** i^(frequency . position) = cosine + i sine. A spectrum is the sum over positions of value * i^(frequency . position). */
float cosine(Grid frequency, Grid position) {
  constexpr std::array<float, 4> values = {1, 0, -1, 0};
  return values[static_cast<size_t>((frequency.y * position.y + frequency.x * position.x) & 3)];
}
float sine(Grid frequency, Grid position) {
  constexpr std::array<float, 4> values = {0, 1, 0, -1};
  return values[static_cast<size_t>((frequency.y * position.y + frequency.x * position.x) & 3)];
}

using Coefficients = std::vector<std::vector<float>>;

/** Where plane p, row r, column c lies: p * plane + r * row + c. */
template <typename Storage>
struct Planes {
  Storage* data;
  int64_t plane, row;
};

template <typename Storage>
Planes<Storage> planes(const at::Tensor& batch) {
  return {static_cast<Storage*>(batch.data_ptr()), batch.size(1) * batch.size(2), batch.size(2)};
}

/** target plane k = sum over j of coefficients[k][j] * source plane j, summed in float; most coefficients are 0. */
template <typename Source, typename Target>
void combine(const Coefficients& coefficients, Planes<Source> source, Planes<Target> target, int64_t rows, int64_t columns) {
  at::parallel_for(0, rows, 1, [&](int64_t begin, int64_t end) {
    std::vector<float> sums(static_cast<size_t>(columns));
    float* __restrict sum = sums.data();
    for (int64_t r = begin; r < end; ++r) {
      for (size_t k = 0; k < coefficients.size(); ++k) {
        std::fill(sums.begin(), sums.end(), 0.0f);
        for (size_t j = 0; j < coefficients[k].size(); ++j) {
          const float factor = coefficients[k][j];
          if (factor == 0) continue;
          const Source* __restrict in = source.data + static_cast<int64_t>(j) * source.plane + r * source.row;
          for (int64_t c = 0; c < columns; ++c) sum[c] += factor * toFloat(in[c]);
        }
        Target* __restrict out = target.data + static_cast<int64_t>(k) * target.plane + r * target.row;
        for (int64_t c = 0; c < columns; ++c) assign(out[c], sum[c]);
      }
    }
  });
}

/** Taps -> 22 planes: the 4 real spectra, then A + B, B and A of the 6 pairs, where A + iB is the spectrum. */
Coefficients spectraOfTaps() {
  Coefficients rows;
  for (const Grid w : kReal) {
    rows.emplace_back(kTaps);
    for (int t = 0; t < kTaps; ++t) rows.back()[t] = cosine(w, tap(t));
  }
  const auto addPairs = [&](float real, float imaginary) {
    for (const Grid w : kPairs) {
      rows.emplace_back(kTaps);
      for (int t = 0; t < kTaps; ++t) rows.back()[t] = real * cosine(w, tap(t)) + imaginary * sine(w, tap(t));
    }
  };
  addPairs(1, 1);
  addPairs(0, 1);
  addPairs(1, 0);
  return rows;
}

/**
 * The spectrum of R is conj(K) K^T: with K = A + iB its real part is A A^T + B B^T, its imaginary part A B^T - B A^T.
 * The 22 products (4 of the real frequencies; A A^T, B B^T and A B^T of the 6 pairs) -> the symmetric parts of R at the
 * five lags, then, at four lags, a matrix M whose M - M^T is the skew part.
 */
Coefficients lagsOfProducts() {
  Coefficients rows;
  for (const Grid d : kLags) {
    std::vector<float> row;
    for (const Grid w : kReal) row.push_back(cosine(w, d) / kPoints);
    for (int part = 0; part < 2; ++part) {
      for (const Grid w : kPairs) row.push_back(2 * cosine(w, d) / kPoints);
    }
    rows.push_back(row);
  }
  for (size_t d = 1; d < kLags.size(); ++d) {
    std::vector<float> row(16);
    for (const Grid w : kPairs) row.push_back(2 * sine(w, kLags[d]) / kPoints);
    rows.push_back(row);
  }
  return rows;
}

/**
 * R at the centre, then the symmetric and the skew parts at four lags -> 22 left factors. With U + iV = sum over the nine
 * lags of R(d) i^(-w.d): U at the real frequencies, then U, U + V and V - U of the pairs.
 */
Coefficients leftFactors() {
  Coefficients rows;
  const auto add = [&](Grid w, float real, float imaginary) {
    std::vector<float> row = {real};
    for (size_t d = 1; d < kLags.size(); ++d) row.push_back(2 * real * cosine(w, kLags[d]));
    for (size_t d = 1; d < kLags.size(); ++d) row.push_back(-2 * imaginary * sine(w, kLags[d]));
    rows.push_back(row);
  };
  for (const Grid w : kReal) add(w, 1, 0);
  for (const Grid w : kPairs) add(w, 1, 0);
  for (const Grid w : kPairs) add(w, 1, 1);
  for (const Grid w : kPairs) add(w, -1, 1);
  return rows;
}

/**
 * The 22 products -> taps. Of a pair, with p = U (A + B), q = (U + V) B and r = (V - U) A:
 * (U + iV)(A + iB) = (p - q) + i (p + r).
 */
Coefficients tapsOfProducts(float scale) {
  Coefficients rows;
  for (int t = 0; t < kTaps; ++t) {
    std::vector<float> row;
    for (const Grid w : kReal) row.push_back(scale * cosine(w, tap(t)) / kPoints);
    // Inverse transform of a pair: 2 Re(spectrum * conjugate phase) = 2 (Re cos + Im sin).
    const float two = 2 * scale / kPoints;
    for (const Grid w : kPairs) row.push_back(two * (cosine(w, tap(t)) + sine(w, tap(t))));
    for (const Grid w : kPairs) row.push_back(-two * cosine(w, tap(t)));
    for (const Grid w : kPairs) row.push_back(two * sine(w, tap(t)));
    rows.push_back(row);
  }
  return rows;
}

/** The sum of squares of every matrix, in double. */
std::vector<double> squaredNorms(const at::Tensor& matrices) {
  const int64_t count = matrices.size(0), size = matrices.size(1) * matrices.size(2);
  const float* values = matrices.data_ptr<float>();
  std::vector<double> norms(static_cast<size_t>(count));
  at::parallel_for(0, count, 1, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) {
      const float* matrix = values + k * size;
      double norm = 0;
#pragma omp simd reduction(+ : norm)
      for (int64_t i = 0; i < size; ++i) norm += static_cast<double>(matrix[i]) * static_cast<double>(matrix[i]);
      norms[static_cast<size_t>(k)] = norm;
    }
  });
  return norms;
}

void multiplyInto(at::Tensor result, const at::Tensor& a, const at::Tensor& b) {
  if (result.scalar_type() == at::kFloat) sharedProductsInto(result, a, b);
  else at::bmm_out(result, a, b);
}

/** Storage is what the matrix products multiply in; the sums between them are float. */
template <typename Storage>
Tensors lossAndGradient(const at::Tensor& kernel, at::ScalarType storage) {
  const int64_t in = kernel.size(2), out = kernel.size(3);
  const at::Tensor filters = kernel.permute({3, 0, 1, 2}).contiguous();  // [out, tap, in]

  const at::Tensor spectra = at::empty({22, out, in}, storage);
  combine(spectraOfTaps(), Planes<float>{filters.data_ptr<float>(), in, kTaps * in}, planes<Storage>(spectra), out, in);
  const at::Tensor real = spectra.narrow(0, 0, 4), b = spectra.narrow(0, 10, 6), a = spectra.narrow(0, 16, 6);
  const at::Tensor products = at::empty({22, out, out}, storage);
  multiplyInto(products.narrow(0, 0, 4), real, real.transpose(1, 2));
  multiplyInto(products.narrow(0, 4, 6), a, a.transpose(1, 2));
  multiplyInto(products.narrow(0, 10, 6), b, b.transpose(1, 2));
  multiplyInto(products.narrow(0, 16, 6), a, b.transpose(1, 2));

  const at::Tensor lags = at::empty({9, out, out}, at::kFloat);
  combine(lagsOfProducts(), planes<Storage>(products), planes<float>(lags), out, out);
  lags.select(0, 0).diagonal().sub_(1);
  at::Tensor skew = lags.narrow(0, 5, 4);
  skew.copy_(skew - skew.transpose(1, 2));
  // R(d) = symmetric + skew, R(-d) = symmetric - skew, and the two parts are orthogonal to each other.
  const std::vector<double> norms = squaredNorms(lags);
  const double loss = std::sqrt(norms[0] + 2 * std::accumulate(norms.begin() + 1, norms.end(), 0.0));

  const at::Tensor factors = at::empty({22, out, out}, storage);
  combine(leftFactors(), planes<float>(lags), planes<Storage>(factors), out, out);
  const at::Tensor gradients = at::empty({22, out, in}, storage);
  multiplyInto(gradients, factors, spectra);
  const at::Tensor gradient = at::empty({out, 3, 3, in}, at::kFloat);
  const float scale = loss > 0 ? static_cast<float>(2 / loss) : 0.0f;
  combine(tapsOfProducts(scale), planes<Storage>(gradients), Planes<float>{gradient.data_ptr<float>(), in, kTaps * in}, out, in);
  return {at::full({}, loss, at::kFloat), gradient.permute({1, 2, 3, 0})};
}

/** (kernel HWIO [3, 3, in, out], bfloat16) -> loss (scalar), gradient (HWIO) */
Tensors convOrthogonality(Call& call) {
  const at::Tensor kernel = call.tensor(0).to(at::kFloat);
  TORCH_CHECK(kernel.dim() == 4 && kernel.size(0) == 3 && kernel.size(1) == 3, "expected a kernel of shape [3, 3, in, out], but got ", kernel.sizes());
  TORCH_CHECK(kernel.numel() > 0, "expected a kernel with channels, but got ", kernel.sizes());
  return call.flag(1) ? lossAndGradient<c10::BFloat16>(kernel, at::kBFloat16) : lossAndGradient<float>(kernel, at::kFloat);
}

}  // namespace

Functions orthogonalityFunctions() { return {many("convOrthogonality", convOrthogonality)}; }

}  // namespace secateur
