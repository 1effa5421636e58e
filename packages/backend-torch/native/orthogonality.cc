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
struct Planes {
  float* data;
  int64_t plane, row;
};

/** target plane k = sum over j of coefficients[k][j] * source plane j; most coefficients are 0. */
void combine(const Coefficients& coefficients, Planes source, Planes target, int64_t rows, int64_t columns) {
  at::parallel_for(0, rows, 1, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      for (size_t k = 0; k < coefficients.size(); ++k) {
        float* __restrict out = target.data + static_cast<int64_t>(k) * target.plane + r * target.row;
        bool first = true;
        for (size_t j = 0; j < coefficients[k].size(); ++j) {
          const float factor = coefficients[k][j];
          if (factor == 0) continue;
          const float* __restrict in = source.data + static_cast<int64_t>(j) * source.plane + r * source.row;
          if (first) {
            for (int64_t c = 0; c < columns; ++c) out[c] = factor * in[c];
          } else {
            for (int64_t c = 0; c < columns; ++c) out[c] += factor * in[c];
          }
          first = false;
        }
        if (first) std::fill(out, out + columns, 0.0f);
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

/** Spectra of R (4 real, 6 real parts, 6 imaginary parts) -> R at the five lags. */
Coefficients lagsOfSpectra() {
  Coefficients rows;
  for (const Grid d : kLags) {
    std::vector<float> row;
    for (const Grid w : kReal) row.push_back(cosine(w, d) / kPoints);
    for (const Grid w : kPairs) row.push_back(2 * cosine(w, d) / kPoints);
    for (const Grid w : kPairs) row.push_back(2 * sine(w, d) / kPoints);
    rows.push_back(row);
  }
  return rows;
}

/**
 * R(0), then R(d) + R(d)^T of four lags, then R(d) - R(d)^T -> 22 left factors. With U + iV = sum over d of R(d) i^(-w.d):
 * U at the real frequencies, then U, U + V and V - U of the pairs.
 */
Coefficients leftFactors() {
  Coefficients rows;
  const auto add = [&](Grid w, float real, float imaginary) {
    std::vector<float> row = {real};
    for (size_t d = 1; d < kLags.size(); ++d) row.push_back(real * cosine(w, kLags[d]));
    for (size_t d = 1; d < kLags.size(); ++d) row.push_back(-imaginary * sine(w, kLags[d]));
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

Planes planes(const at::Tensor& batch) { return {batch.data_ptr<float>(), batch.size(1) * batch.size(2), batch.size(2)}; }

double squaredNorm(const at::Tensor& matrix) {
  const float* values = matrix.data_ptr<float>();
  double total = 0;
  for (int64_t i = 0; i < matrix.numel(); ++i) total += static_cast<double>(values[i]) * values[i];
  return total;
}

at::Tensor productsOf(const at::Tensor& left, const at::Tensor& right, bool bfloat16) {
  if (!bfloat16) return sharedProducts(left, right);
  return at::bmm(left.to(at::kBFloat16), right.to(at::kBFloat16)).to(at::kFloat);
}

/** (kernel HWIO [3, 3, in, out], bfloat16) -> loss (scalar), gradient (HWIO) */
Tensors convOrthogonality(Call& call) {
  const at::Tensor kernel = call.tensor(0).to(at::kFloat);
  const bool bfloat16 = call.flag(1);
  TORCH_CHECK(kernel.dim() == 4 && kernel.size(0) == 3 && kernel.size(1) == 3, "expected a kernel of shape [3, 3, in, out], but got ", kernel.sizes());
  const int64_t in = kernel.size(2), out = kernel.size(3);
  TORCH_CHECK(in > 0 && out > 0, "expected a kernel with channels, but got ", kernel.sizes());
  const at::Tensor filters = kernel.permute({3, 0, 1, 2}).contiguous();  // [out, tap, in]

  const at::Tensor spectra = at::empty({22, out, in}, at::kFloat);
  combine(spectraOfTaps(), {filters.data_ptr<float>(), in, kTaps * in}, planes(spectra), out, in);
  const at::Tensor real = spectra.narrow(0, 0, 4), b = spectra.narrow(0, 10, 6), a = spectra.narrow(0, 16, 6);

  // The spectrum of R is conj(K) K^T: real part A A^T + B B^T, imaginary part A B^T - B A^T.
  const at::Tensor left = at::cat({real, a, b, a}), right = at::cat({real, a, b, b}).transpose(1, 2);
  const at::Tensor products = productsOf(left, right, bfloat16);
  const at::Tensor spectraOfR = at::empty({16, out, out}, at::kFloat);
  spectraOfR.narrow(0, 0, 4).copy_(products.narrow(0, 0, 4));
  at::Tensor realPart = spectraOfR.narrow(0, 4, 6), imaginaryPart = spectraOfR.narrow(0, 10, 6);
  at::add_out(realPart, products.narrow(0, 4, 6), products.narrow(0, 10, 6));
  const at::Tensor ab = products.narrow(0, 16, 6);
  at::sub_out(imaginaryPart, ab, ab.transpose(1, 2));

  const at::Tensor lags = at::empty({5, out, out}, at::kFloat);
  combine(lagsOfSpectra(), planes(spectraOfR), planes(lags), out, out);
  at::Tensor centre = lags.select(0, 0);
  centre.diagonal().sub_(1);

  double squared = squaredNorm(centre);
  for (int64_t d = 1; d < 5; ++d) squared += 2 * squaredNorm(lags.select(0, d));
  const double loss = std::sqrt(squared);

  const at::Tensor outer = lags.narrow(0, 1, 4), flipped = outer.transpose(1, 2);
  const at::Tensor symmetric = at::cat({lags.narrow(0, 0, 1), outer + flipped, outer - flipped});
  const at::Tensor factors = at::empty({22, out, out}, at::kFloat);
  combine(leftFactors(), planes(symmetric), planes(factors), out, out);
  const at::Tensor gradients = productsOf(factors, spectra, bfloat16);
  const at::Tensor gradient = at::empty({out, 3, 3, in}, at::kFloat);
  combine(tapsOfProducts(loss > 0 ? static_cast<float>(2 / loss) : 0.0f), planes(gradients), {gradient.data_ptr<float>(), in, kTaps * in}, out, in);
  return {at::full({}, loss, at::kFloat), gradient.permute({1, 2, 3, 0})};
}

}  // namespace

Functions orthogonalityFunctions() { return {many("convOrthogonality", convOrthogonality)}; }

}  // namespace secateur
