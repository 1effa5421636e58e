// Reductions over axes, arg max, softmax, top k, running sums.
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <type_traits>

#include "floats.h"
#include "kernels.h"

namespace secateur {

namespace {

/** The type in which sums are kept: bfloat16 activations reduce to float32. */
at::ScalarType sumType(const at::Tensor& x) { return x.is_floating_point() ? at::kFloat : at::kInt; }

at::Tensor wide(const at::Tensor& x) { return x.scalar_type() == at::kBFloat16 ? x.to(at::kFloat) : x; }

/** Whether the sum runs over all axes but the last, as a bias's gradient does. */
bool leavesLastAxis(const at::Tensor& x, Integers axes) {
  if (x.dim() < 2 || x.numel() == 0 || static_cast<int64_t>(axes.size()) != x.dim() - 1) return false;
  std::sort(axes.begin(), axes.end());
  for (size_t axis = 0; axis < axes.size(); ++axis) {
    if (axes[axis] != static_cast<int64_t>(axis)) return false;
  }
  return true;
}

/** x [rows, columns] -> [columns]. ATen's sum over leading axes runs at a third of the memory's speed. */
template <typename Storage>
at::Tensor columnSums(const at::Tensor& x) {
  constexpr int64_t kRows = 64;  // summed in float; the sums of such blocks in double
  const int64_t columns = x.size(-1), rows = x.numel() / columns, blocks = (rows + kRows - 1) / kRows;
  const int64_t parts = std::min<int64_t>(at::get_num_threads(), blocks);
  const Storage* values = static_cast<const Storage*>(x.data_ptr());
  std::vector<double> totals(static_cast<size_t>(parts * columns), 0.0);
  at::parallel_for(0, parts, 1, [&](int64_t firstPart, int64_t lastPart) {
    std::vector<float> sums(static_cast<size_t>(columns));
    float* __restrict sum = sums.data();
    for (int64_t part = firstPart; part < lastPart; ++part) {
      double* __restrict total = totals.data() + part * columns;
      for (int64_t block = blocks * part / parts; block < blocks * (part + 1) / parts; ++block) {
        std::fill(sums.begin(), sums.end(), 0.0f);
        for (int64_t row = block * kRows; row < std::min(rows, (block + 1) * kRows); ++row) {
          const Storage* __restrict in = values + row * columns;
          for (int64_t c = 0; c < columns; ++c) sum[c] += toFloat(in[c]);
        }
        for (int64_t c = 0; c < columns; ++c) total[c] += static_cast<double>(sum[c]);
      }
    }
  });
  at::Tensor result = at::empty({columns}, at::kFloat);
  float* out = result.data_ptr<float>();
  for (int64_t c = 0; c < columns; ++c) {
    double total = 0;
    for (int64_t part = 0; part < parts; ++part) total += totals[static_cast<size_t>(part * columns + c)];
    out[c] = static_cast<float>(total);
  }
  return result;
}

at::Tensor sum(Call& call) {
  const at::Tensor x = call.tensor(0);
  const Integers axes = call.integers(1);
  if (axes.empty()) return x.to(sumType(x));
  if (x.is_floating_point() && leavesLastAxis(x, axes)) {
    return withStorageType(x, [&](auto* storage) { return columnSums<std::remove_pointer_t<decltype(storage)>>(x.contiguous()); });
  }
  if (x.is_floating_point()) return at::sum(x, axes, /*keepdim=*/false, at::kFloat);
  // Not in 64 bits: below 2^32 the sums are the same, and ATen takes several times as long to convert.
  return at::sum(x, axes, /*keepdim=*/false, at::kInt);
}

at::Tensor mean(Call& call) {
  const at::Tensor x = call.tensor(0);
  const Integers axes = call.integers(1);
  return axes.empty() ? x.to(at::kFloat) : at::mean(x, axes, /*keepdim=*/false, at::kFloat);
}

at::Tensor max(Call& call) {
  const at::Tensor x = call.tensor(0);
  const Integers axes = call.integers(1);
  return axes.empty() ? x : at::amax(x, axes);
}

at::Tensor min(Call& call) {
  const at::Tensor x = call.tensor(0);
  const Integers axes = call.integers(1);
  return axes.empty() ? x : at::amin(x, axes);
}

/** Applies a reduction of one dimension to several, last first, so that the numbers of the others stay. */
template <typename Reduce>
at::Tensor oneByOne(at::Tensor x, Integers axes, Reduce reduce) {
  std::sort(axes.rbegin(), axes.rend());
  for (const int64_t axis : axes) x = reduce(x, axis);
  return x;
}

at::Tensor prod(Call& call) {
  return oneByOne(wide(call.tensor(0)), call.integers(1), [](const at::Tensor& x, int64_t axis) { return at::prod(x, axis); });
}

at::Tensor all(Call& call) {
  return oneByOne(call.tensor(0), call.integers(1), [](const at::Tensor& x, int64_t axis) { return at::all(x, axis); });
}

at::Tensor any(Call& call) {
  return oneByOne(call.tensor(0), call.integers(1), [](const at::Tensor& x, int64_t axis) { return at::any(x, axis); });
}

/** First position of the extreme value; NaN never wins over an earlier number. ATen's argmax lets NaN win. */
template <typename Better>
at::Tensor argExtreme(Call& call, Better better) {
  const int64_t axis = call.integer(1);
  const at::Tensor moved = call.tensor(0).to(at::kFloat).movedim(axis, -1).contiguous();
  const int64_t length = moved.size(-1);
  TORCH_CHECK(length > 0, "has no position along an axis of length 0");
  const auto shape = moved.sizes();
  at::Tensor result = at::empty(shape.slice(0, shape.size() - 1), at::kInt);
  const float* values = moved.data_ptr<float>();
  int32_t* positions = result.data_ptr<int32_t>();
  at::parallel_for(0, result.numel(), 4096, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const float* line = values + row * length;
      int64_t best = 0;
      for (int64_t i = 1; i < length; ++i) {
        if (better(line[i], line[best])) best = i;
      }
      positions[row] = static_cast<int32_t>(best);
    }
  });
  return result;
}

at::Tensor argMax(Call& call) {
  return argExtreme(call, [](float candidate, float best) { return candidate > best; });
}

at::Tensor argMin(Call& call) {
  return argExtreme(call, [](float candidate, float best) { return candidate < best; });
}

at::Tensor softmax(Call& call) { return at::softmax(call.tensor(0), call.integer(1), at::kFloat); }

at::Tensor logSoftmax(Call& call) { return at::log_softmax(call.tensor(0), call.integer(1), at::kFloat); }

/** (x, k) along the last axis: largest first, equal values in order of position. */
Tensors topK(Call& call) {
  const at::Tensor x = wide(call.tensor(0)).contiguous();
  const int64_t k = call.integer(1);
  const int64_t length = x.size(-1);
  TORCH_CHECK(k >= 0 && k <= length, "expected k between 0 and ", length, ", but got ", k);
  const auto sorted = at::sort(x, /*stable=*/true, /*dim=*/-1, /*descending=*/true);
  return {std::get<0>(sorted).narrow(-1, 0, k).contiguous(), std::get<1>(sorted).narrow(-1, 0, k).to(at::kInt)};
}

/** (x, axis, exclusive, reverse) */
at::Tensor cumsum(Call& call) {
  at::Tensor x = wide(call.tensor(0));
  const int64_t axis = call.integer(1);
  const bool exclusive = call.flag(2), reverse = call.flag(3);
  if (reverse) x = x.flip(axis);
  at::Tensor total = at::cumsum(x, axis, x.is_floating_point() ? at::kDouble : at::kLong);
  if (exclusive) total = total - x;
  total = total.to(sumType(x));
  return reverse ? total.flip(axis) : total;
}

}  // namespace

Functions reductionFunctions() {
  return {one("sum", sum),       one("mean", mean),       one("max", max),         one("min", min),
          one("prod", prod),     one("all", all),         one("any", any),         one("argMax", argMax),
          one("argMin", argMin), one("softmax", softmax), one("logSoftmax", logSoftmax), many("topK", topK),
          one("cumsum", cumsum)};
}

}  // namespace secateur
