// Convolutional orthogonality of 3x3 kernels and its gradient, with fewer matrix products than the sums as they stand.
//
//   R(d) = sum over taps t of K(t) K(t+d)^T - I[d = 0],  d in {-1, 0, 1}^2,  K(t) the [out, in] matrix of tap t
//   loss = sqrt(sum over d of ||R(d)||^2),  gradient at tap t = 2 / loss * sum over d of R(d) K(t+d)
//
// In one dimension the three sums K(t) K(t+d)^T, d in {-1, 0, 1}, are four products of combinations of taps: with
// L_i = sum over t of l_i(t) K(t), and l the rows of
//
//   (1, 3/2, 1), (1, -3/2, 1), (-1, 1/2, 1), (-1, -1/2, 1),
//
// which read backwards are themselves, themselves, minus the fourth and minus the third, the sum for d is
// sum over i of w_i(d) L_r(i) L_i^T, r(i) the row that l_i becomes when read backwards. In two dimensions the points (i, j)
// give 16 products. Four points are their own mirror image, the rest form pairs whose products are each other's
// transposes: 10 are computed. By the symmetry of the trilinear form the gradient at tap t is the sum over all points of
// l_r(i)(t) U_i L_i with U_i = sum over d of w_i(d) R(d): 16 products. In all 26 products of
// out x out x in, against 29 + 49, and exact up to rounding.
#include <ATen/Parallel.h>

#include <algorithm>
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

constexpr int kTaps = 9;
constexpr Grid tap(int t) { return {t / 3, t % 3}; }

constexpr int kLags = 9, kCentre = 4;
constexpr Grid lag(int d) { return {d / 3 - 1, d % 3 - 1}; }

/** The points that are their own mirror image, one of each pair, and the others in the same order. */
constexpr int kAlone = 4, kPairs = 6, kDistinct = kAlone + kPairs, kPoints = kAlone + 2 * kPairs;
constexpr std::array<Grid, kPoints> kGrid = {{{0, 0}, {0, 1}, {1, 0}, {1, 1},                                //
                                              {0, 2}, {1, 2}, {2, 0}, {2, 1}, {2, 2}, {2, 3},                //
                                              {0, 3}, {1, 3}, {3, 0}, {3, 1}, {3, 3}, {3, 2}}};

/** Coefficient of a tap at a point, in one dimension. */
float coefficient(int point, int tap) {
  constexpr std::array<std::array<float, 3>, 4> rows = {{{1, 1.5f, 1}, {1, -1.5f, 1}, {-1, 0.5f, 1}, {-1, -0.5f, 1}}};
  return rows[static_cast<size_t>(point)][static_cast<size_t>(tap)];
}

/** The point that a point's row becomes when it is read backwards, up to the sign. */
constexpr int mirror(int point) { return point < 2 ? point : 5 - point; }

/** Weight of the product mirror image x point in the sum for a lag, in one dimension. */
float weight(int point, int lag) {
  constexpr std::array<std::array<float, 3>, 4> rows = {
      {{1.0f / 6, 0.25f, 1.0f / 6}, {-1.0f / 6, 0.25f, -1.0f / 6}, {0.5f, 0.25f, -0.5f}, {-0.5f, 0.25f, 0.5f}}};
  return rows[static_cast<size_t>(point)][static_cast<size_t>(lag + 1)];
}

float weight(Grid point, Grid lag) { return weight(point.y, lag.y) * weight(point.x, lag.x); }

using Coefficients = std::vector<std::vector<float>>;

/** Matrices of one shape: plane p, row r, column c lies at p * plane + r * row + c. */
template <typename Storage>
struct Matrices {
  Storage* data;
  int64_t rows, columns, plane, row;
};

template <typename Storage>
Matrices<Storage> matrices(const at::Tensor& batch) {
  const int64_t rows = batch.size(1), columns = batch.size(2);
  return {static_cast<Storage*>(batch.data_ptr()), rows, columns, rows * columns, columns};
}

/** The taps of filters [out, 3, 3, in] as matrices [out, in]. */
Matrices<float> tapsOf(const at::Tensor& filters) {
  const int64_t out = filters.size(0), in = filters.size(3);
  return {filters.data_ptr<float>(), out, in, in, kTaps * in};
}

constexpr int64_t kBlock = 64;  // columns at a time: their sums stay in registers
using Block = std::array<float, kBlock>;

/** sums = sum over j of factors[j] * the values at first + j * plane; many factors are 0. */
template <typename Source>
void combineBlock(const std::vector<float>& factors, const Source* first, int64_t plane, int64_t length, Block& sums) {
  const auto add = [](float* sum, float factor, const Source* __restrict values, int64_t count) {
    for (int64_t c = 0; c < count; ++c) sum[c] += factor * toFloat(values[c]);
  };
  Block block{};
  for (size_t j = 0; j < factors.size(); ++j) {
    if (factors[j] == 0) continue;
    const Source* values = first + static_cast<int64_t>(j) * plane;
    if (length == kBlock) add(block.data(), factors[j], values, kBlock);
    else add(block.data(), factors[j], values, length);
  }
  sums = block;
}

template <typename Target>
void store(const Block& values, Target* __restrict to, int64_t length) {
  for (int64_t c = 0; c < length; ++c) assign(to[c], values[static_cast<size_t>(c)]);
}

/** Calls visit(row, first column, columns) for every block of a matrix, rows shared out over the threads. */
template <typename Visit>
void forEachBlock(int64_t rows, int64_t columns, Visit visit) {
  at::parallel_for(0, rows, std::max<int64_t>(1, 4096 / columns), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      for (int64_t c = 0; c < columns; c += kBlock) visit(r, c, std::min(kBlock, columns - c));
    }
  });
}

/** target matrix k = sum over j of coefficients[k][j] * source matrix j, summed in float. */
template <typename Source, typename Target>
void combine(const Coefficients& coefficients, Matrices<Source> source, Matrices<Target> target) {
  forEachBlock(source.rows, source.columns, [&](int64_t r, int64_t c, int64_t length) {
    Block sums;
    for (size_t k = 0; k < coefficients.size(); ++k) {
      combineBlock(coefficients[k], source.data + r * source.row + c, source.plane, length, sums);
      store(sums, target.data + static_cast<int64_t>(k) * target.plane + r * target.row + c, length);
    }
  });
}

/** Taps -> the combination L of every point. */
Coefficients combinationsOfTaps() {
  Coefficients rows;
  for (const Grid point : kGrid) {
    rows.emplace_back();
    for (int t = 0; t < kTaps; ++t) rows.back().push_back(coefficient(point.y, tap(t).y) * coefficient(point.x, tap(t).x));
  }
  return rows;
}

/** The product mirror image x point of all points -> R at every lag, before the unit matrix goes. */
Coefficients lagsOfProducts() {
  Coefficients rows;
  for (int d = 0; d < kLags; ++d) {
    rows.emplace_back();
    for (const Grid point : kGrid) rows.back().push_back(weight(point, lag(d)));
  }
  return rows;
}

/** R at every lag -> U of the distinct points. */
Coefficients factorsOfLags() {
  Coefficients rows;
  for (int k = 0; k < kDistinct; ++k) {
    rows.emplace_back();
    for (int d = 0; d < kLags; ++d) rows.back().push_back(weight(kGrid[static_cast<size_t>(k)], lag(d)));
  }
  return rows;
}

/** The products U L of all points -> the gradient at the taps. */
Coefficients tapsOfProducts(float scale) {
  Coefficients rows;
  for (int t = 0; t < kTaps; ++t) {
    rows.emplace_back();
    for (const Grid point : kGrid) rows.back().push_back(scale * coefficient(mirror(point.y), tap(t).y) * coefficient(mirror(point.x), tap(t).x));
  }
  return rows;
}

/** The products of all points -> U of the distinct points, by way of R, which is never stored. Returns the sum of R's squares. */
template <typename Storage>
double factorsOfProducts(Matrices<Storage> products, Matrices<Storage> factors) {
  const Coefficients toLags = lagsOfProducts(), toFactors = factorsOfLags();
  std::vector<double> squares(static_cast<size_t>(products.rows));
  forEachBlock(products.rows, products.columns, [&](int64_t r, int64_t c, int64_t length) {
    std::array<Block, kLags> lags;
    for (size_t d = 0; d < kLags; ++d) combineBlock(toLags[d], products.data + r * products.row + c, products.plane, length, lags[d]);
    if (r >= c && r < c + length) lags[kCentre][static_cast<size_t>(r - c)] -= 1;
    for (const Block& block : lags) {
      double sum = 0;
      for (const float value : block) sum += static_cast<double>(value) * static_cast<double>(value);
      squares[static_cast<size_t>(r)] += sum;
    }
    Block sums;
    for (size_t k = 0; k < kDistinct; ++k) {
      combineBlock(toFactors[k], lags[0].data(), kBlock, length, sums);
      store(sums, factors.data + static_cast<int64_t>(k) * factors.plane + r * factors.row + c, length);
    }
  });
  return std::accumulate(squares.begin(), squares.end(), 0.0);
}

void multiplyInto(at::Tensor result, const at::Tensor& a, const at::Tensor& b) {
  if (result.scalar_type() == at::kFloat) sharedProductsInto(result, a, b);
  else at::bmm_out(result, a, b);
}

/** Storage is what the matrix products multiply in; the sums between them are float. */
template <typename Storage>
Tensors lossAndGradient(const at::Tensor& kernel, at::ScalarType storage) {
  const int64_t in = kernel.size(2), out = kernel.size(3);
  const at::Tensor filters = kernel.permute({3, 0, 1, 2}).contiguous();  // [out, tap, in]: the layout that weights have in training
  const at::Tensor combinations = at::empty({kPoints, out, in}, storage);
  combine(combinationsOfTaps(), tapsOf(filters), matrices<Storage>(combinations));
  const at::Tensor products = at::empty({kPoints, out, out}, storage);
  const at::Tensor alone = combinations.narrow(0, 0, kAlone);
  const at::Tensor firsts = combinations.narrow(0, kAlone, kPairs), seconds = combinations.narrow(0, kDistinct, kPairs);
  multiplyInto(products.narrow(0, 0, kAlone), alone, alone.transpose(1, 2));
  multiplyInto(products.narrow(0, kAlone, kPairs), seconds, firsts.transpose(1, 2));
  products.narrow(0, kDistinct, kPairs).copy_(products.narrow(0, kAlone, kPairs).transpose(1, 2));

  const at::Tensor factors = at::empty({kDistinct, out, out}, storage);
  const double loss = std::sqrt(factorsOfProducts(matrices<Storage>(products), matrices<Storage>(factors)));
  const at::Tensor gradients = at::empty({kPoints, out, in}, storage);
  multiplyInto(gradients.narrow(0, 0, kDistinct), factors, combinations.narrow(0, 0, kDistinct));
  multiplyInto(gradients.narrow(0, kDistinct, kPairs), factors.narrow(0, kAlone, kPairs).transpose(1, 2), seconds);
  const at::Tensor gradient = at::empty({out, 3, 3, in}, at::kFloat);
  const float scale = loss > 0 ? static_cast<float>(2 / loss) : 0.0f;
  combine(tapsOfProducts(scale), matrices<Storage>(gradients), tapsOf(gradient));
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
