// Batch norm. Unfused it is a dozen passes over the largest tensors of a network; here it is two forward and two
// backward, with ReLU or ReLU6 and a residual addition inside.
#include <ATen/Parallel.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "batch_norm.h"
#include "floats.h"
#include "kernels.h"

namespace secateur {

namespace {

/** NaN stays NaN. */
template <Activation activation>
float activated(float value) {
  if (activation == Activation::kLinear) return value;
  const float rectified = value < 0.0f ? 0.0f : value;
  return activation == Activation::kRelu6 && rectified > 6.0f ? 6.0f : rectified;
}

/** What of a gradient comes through an activation that gave y. */
template <Activation activation>
float gated(float gradient, float y) {
  if (activation == Activation::kLinear) return gradient;
  const bool passes = activation == Activation::kRelu6 ? y > 0.0f && y < 6.0f : y > 0.0f;
  return passes ? gradient : 0.0f;
}

/** Calls `use` with the activation as a type, to choose a template. */
template <typename Use>
auto withActivation(Activation activation, Use use) {
  switch (activation) {
    case Activation::kRelu: return use(std::integral_constant<Activation, Activation::kRelu>());
    case Activation::kRelu6: return use(std::integral_constant<Activation, Activation::kRelu6>());
    default: return use(std::integral_constant<Activation, Activation::kLinear>());
  }
}

/**
 * How many rows to treat as one wide row: a few channels would leave the vector units half empty. Divides `rows`.
 */
int64_t foldOf(int64_t rows, int64_t channels) {
  constexpr int64_t kWidth = 512;
  int64_t fold = std::max<int64_t>(1, kWidth / channels);
  while (rows % fold != 0) --fold;
  return fold;
}

/** The values, `fold` times over. */
std::vector<float> repeated(const float* values, int64_t count, int64_t fold) {
  std::vector<float> result;
  for (int64_t i = 0; i < fold; ++i) result.insert(result.end(), values, values + count);
  return result;
}

/**
 * Two sums per channel over all rows. Rows are dealt to the threads in equal parts, so that the same number of threads gives
 * the same bits. `addRows` adds a few rows in float; the sums of such blocks are kept in double.
 */
template <typename AddRows>
std::vector<double> channelSums(int64_t allRows, int64_t allChannels, AddRows addRows) {
  constexpr int64_t kBlock = 16;
  const int64_t fold = foldOf(allRows, allChannels), rows = allRows / fold, channels = allChannels * fold;
  const int64_t parts = std::max<int64_t>(1, std::min<int64_t>(at::get_num_threads(), rows / kBlock));
  std::vector<double> sums(static_cast<size_t>(parts * 2 * channels), 0.0);
  at::parallel_for(0, parts, 1, [&](int64_t begin, int64_t end) {
    std::vector<float> block(static_cast<size_t>(2 * channels));
    for (int64_t part = begin; part < end; ++part) {
      double* __restrict total = sums.data() + part * 2 * channels;
      const int64_t last = rows * (part + 1) / parts;
      for (int64_t row = rows * part / parts; row < last; row += kBlock) {
        std::fill(block.begin(), block.end(), 0.0f);
        addRows(row, std::min(last, row + kBlock), channels, block.data(), block.data() + channels);
        for (int64_t i = 0; i < 2 * channels; ++i) total[i] += static_cast<double>(block[static_cast<size_t>(i)]);
      }
    }
  });
  std::vector<double> result(static_cast<size_t>(2 * allChannels), 0.0);
  for (size_t i = 0; i < sums.size(); ++i) {
    const int64_t column = static_cast<int64_t>(i) % (2 * channels);
    result[static_cast<size_t>(column / channels * allChannels + column % allChannels)] += sums[i];
  }
  return result;
}

template <int64_t value>
using Count = std::integral_constant<int64_t, value>;

/** Calls `add(row, Count)` for four rows at a time, whose sums then meet in registers, and for those that are left. */
template <typename Add>
void forEachFourRows(int64_t begin, int64_t end, Add add) {
  int64_t row = begin;
  for (; row + 4 <= end; row += 4) add(row, Count<4>());
  for (; row < end; ++row) add(row, Count<1>());
}

/** Vectors with a value per channel, as wide as the rows that they are used with. */
template <size_t count>
struct PerChannel {
  int64_t rows, channels;
  std::array<std::vector<float>, count> values;

  PerChannel(int64_t allRows, int64_t allChannels, const std::array<const float*, count>& vectors) {
    const int64_t fold = foldOf(allRows, allChannels);
    rows = allRows / fold;
    channels = allChannels * fold;
    for (size_t i = 0; i < count; ++i) values[i] = repeated(vectors[i], allChannels, fold);
  }
};

template <typename Row>
void forEachRow(int64_t rows, int64_t channels, Row row) {
  at::parallel_for(0, rows, std::max<int64_t>(1, 16384 / std::max<int64_t>(1, channels)), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) row(r * channels);
  });
}

/** Sums of x - pivot and of its square: near the mean, a pivot keeps the variance exact where the mean is large. */
template <typename T>
std::vector<double> moments(const T* __restrict x, const std::vector<float>& pivot, int64_t rows, int64_t channels) {
  const std::vector<float> pivots = repeated(pivot.data(), channels, foldOf(rows, channels));
  return channelSums(rows, channels, [x, centre = pivots.data()](int64_t begin, int64_t end, int64_t channels, float* __restrict sum, float* __restrict squares) {
    forEachFourRows(begin, end, [=](int64_t first, auto count) {
      const T* __restrict rows = x + first * channels;
#pragma omp simd
      for (int64_t c = 0; c < channels; ++c) {
        float total = sum[c], totalSquares = squares[c];
#pragma GCC unroll 4
        for (int64_t r = 0; r < count; ++r) {
          const float value = toFloat(rows[r * channels + c]) - centre[c];
          total += value;
          totalSquares += value * value;
        }
        sum[c] = total;
        squares[c] = totalSquares;
      }
    });
  });
}

template <typename T, Activation activation, bool residual>
void normalise(const T* __restrict x, const T* __restrict added, T* __restrict y, const PerChannel<3>& given) {
  const float* __restrict mean = given.values[0].data();
  const float* __restrict factor = given.values[1].data();
  const float* __restrict offset = given.values[2].data();
  const int64_t channels = given.channels;
  forEachRow(given.rows, channels, [=](int64_t row) {
#pragma omp simd
    for (int64_t c = 0; c < channels; ++c) {
      float value = (toFloat(x[row + c]) - mean[c]) * factor[c] + offset[c];
      if (residual) value += toFloat(added[row + c]);
      assign(y[row + c], activated<activation>(value));
    }
  });
}

/** (x, scale, offset, movingMean, movingVariance, residual | null, epsilon, momentum, activation, unbiasedVariance) */
Tensors training(Call& call) {
  const at::Tensor x = call.tensor(0).contiguous();
  const at::Tensor scale = call.tensor(1).contiguous(), offset = call.tensor(2).contiguous();
  const at::Tensor movingMean = call.tensor(3).contiguous(), movingVariance = call.tensor(4).contiguous();
  auto residual = call.optionalTensor(5);
  const double epsilon = call.number(6), momentum = call.number(7);
  const Activation activation = activationNamed(call.text(8));
  const bool unbiased = call.flag(9);
  const int64_t rows = rowsOf(x), channels = x.size(-1);
  checkVector(scale, channels, "scale");
  checkVector(offset, channels, "offset");
  checkVector(movingMean, channels, "movingMean");
  checkVector(movingVariance, channels, "movingVariance");
  checkResidual(residual, x);
  if (residual) residual = residual->to(x.scalar_type()).contiguous();

  at::Tensor y = at::empty(x.sizes(), x.options());
  at::Tensor mean = at::empty({channels}, at::kFloat), inverseStd = at::empty({channels}, at::kFloat), factor = at::empty({channels}, at::kFloat);
  at::Tensor newMean = at::empty({channels}, at::kFloat), newVariance = at::empty({channels}, at::kFloat);
  const auto f = [](const at::Tensor& t) { return t.data_ptr<float>(); };
  withStorageType(x, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T* from = x.data_ptr<T>();
    std::vector<float> pivot;
    for (int64_t c = 0; c < channels; ++c) pivot.push_back(toFloat(from[c]));
    const std::vector<double> sums = moments(from, pivot, rows, channels);
    const auto count = static_cast<double>(rows);
    for (int64_t c = 0; c < channels; ++c) {
      const double offCentre = sums[c] / count, average = pivot[c] + offCentre;
      const double variance = std::max(0.0, sums[channels + c] / count - offCentre * offCentre);
      const double spread = unbiased && rows > 1 ? variance * count / (count - 1) : variance;
      f(mean)[c] = static_cast<float>(average);
      f(inverseStd)[c] = static_cast<float>(1.0 / std::sqrt(variance + epsilon));
      f(factor)[c] = f(scale)[c] * f(inverseStd)[c];
      f(newMean)[c] = static_cast<float>(momentum * f(movingMean)[c] + (1 - momentum) * average);
      f(newVariance)[c] = static_cast<float>(momentum * f(movingVariance)[c] + (1 - momentum) * spread);
    }
    const T* added = residual ? residual->template data_ptr<T>() : nullptr;
    withActivation(activation, [&](auto chosen) {
      const auto run = residual ? normalise<T, chosen, true> : normalise<T, chosen, false>;
      run(from, added, y.data_ptr<T>(), {rows, channels, {f(mean), f(factor), f(offset)}});
    });
  });
  return {y, mean, inverseStd, newMean, newVariance};
}

/** Sums of g and of g * (x - mean), g = dy gated by y; g is kept when the residual branch needs it. */
template <typename T, Activation activation, bool keep>
std::vector<double> gradientSums(const T* __restrict dy, const T* __restrict x, const T* __restrict y, T* __restrict g, int64_t rows, int64_t channels,
                                 const float* mean) {
  const std::vector<float> means = repeated(mean, channels, foldOf(rows, channels));
  return channelSums(rows, channels, [&, centre = means.data()](int64_t begin, int64_t end, int64_t channels, float* __restrict sum,
                                                                float* __restrict products) {
    for (int64_t r = begin; r < end; ++r) {
      const T* __restrict dyRow = dy + r * channels;
      const T* __restrict xRow = x + r * channels;
      const T* __restrict yRow = activation == Activation::kLinear ? nullptr : y + r * channels;
      T* __restrict gRow = keep ? g + r * channels : nullptr;
#pragma omp simd
      for (int64_t c = 0; c < channels; ++c) {
        float value = toFloat(dyRow[c]);
        if (activation != Activation::kLinear) value = gated<activation>(value, toFloat(yRow[c]));
        if (keep) assign(gRow[c], value);
        sum[c] += value;
        products[c] += value * (toFloat(xRow[c]) - centre[c]);
      }
    }
  });
}

template <typename T, Activation activation>
void propagate(const T* __restrict dy, const T* __restrict x, const T* __restrict y, T* __restrict dx, const PerChannel<4>& given) {
  const float* __restrict mean = given.values[0].data();
  const float* __restrict factor = given.values[1].data();
  const float* __restrict constant = given.values[2].data();
  const float* __restrict slope = given.values[3].data();
  const int64_t channels = given.channels;
  forEachRow(given.rows, channels, [=](int64_t row) {
#pragma omp simd
    for (int64_t c = 0; c < channels; ++c) {
      float g = toFloat(dy[row + c]);
      if (activation != Activation::kLinear) g = gated<activation>(g, toFloat(y[row + c]));
      assign(dx[row + c], factor[c] * (g - constant[c] - (toFloat(x[row + c]) - mean[c]) * slope[c]));
    }
  });
}

/** (dy, x, y, scale, mean, inverseStd, activation, residual) */
Tensors trainingGrad(Call& call) {
  const at::Tensor x = call.tensor(1).contiguous();
  const at::Tensor dy = call.tensor(0).to(x.scalar_type()).contiguous(), y = call.tensor(2).to(x.scalar_type()).contiguous();
  const at::Tensor scale = call.tensor(3).contiguous(), mean = call.tensor(4).contiguous(), inverseStd = call.tensor(5).contiguous();
  const Activation activation = activationNamed(call.text(6));
  const bool residual = call.flag(7);
  TORCH_CHECK(dy.sizes() == x.sizes() && y.sizes() == x.sizes(), "expected dy, x and y of one shape, but got ", dy.sizes(), ", ",
              x.sizes(), " and ", y.sizes());
  const int64_t rows = rowsOf(x), channels = x.size(-1);
  checkVector(scale, channels, "scale");
  checkVector(mean, channels, "mean");
  checkVector(inverseStd, channels, "inverseStd");

  at::Tensor dx = at::empty(x.sizes(), x.options());
  at::Tensor g = residual ? at::empty(x.sizes(), x.options()) : at::Tensor();
  at::Tensor dScale = at::empty({channels}, at::kFloat), dOffset = at::empty({channels}, at::kFloat);
  std::vector<float> factor(static_cast<size_t>(channels)), constant(factor), slope(factor);
  const auto f = [](const at::Tensor& t) { return t.data_ptr<float>(); };
  withStorageType(x, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T *from = x.data_ptr<T>(), *above = dy.data_ptr<T>(), *out = y.data_ptr<T>();
    T* kept = residual ? g.data_ptr<T>() : nullptr;
    const std::vector<double> sums = withActivation(activation, [&](auto chosen) {
      const auto sum = residual ? gradientSums<T, chosen, true> : gradientSums<T, chosen, false>;
      return sum(above, from, out, kept, rows, channels, f(mean));
    });
    const auto count = static_cast<double>(rows);
    for (int64_t c = 0; c < channels; ++c) {
      const double inverse = f(inverseStd)[c];
      f(dOffset)[c] = static_cast<float>(sums[c]);
      f(dScale)[c] = static_cast<float>(sums[channels + c] * inverse);
      factor[c] = static_cast<float>(f(scale)[c] * inverse);
      constant[c] = static_cast<float>(sums[c] / count);
      slope[c] = static_cast<float>(sums[channels + c] * inverse * inverse / count);
    }
    const PerChannel<4> given(rows, channels, {f(mean), factor.data(), constant.data(), slope.data()});
    if (residual) propagate<T, Activation::kLinear>(kept, from, nullptr, dx.data_ptr<T>(), given);  // already gated
    else withActivation(activation, [&](auto chosen) { propagate<T, chosen>(above, from, out, dx.data_ptr<T>(), given); });
  });
  if (residual) return {dx, dScale, dOffset, g};
  return {dx, dScale, dOffset};
}

/** (x, mean, variance, offset | null, scale | null, epsilon): inference by per-channel vectors or anything that broadcasts. */
at::Tensor broadcastInference(Call& call) {
  const at::Tensor x = call.tensor(0), mean = call.tensor(1), variance = call.tensor(2);
  const auto offset = call.optionalTensor(3), scale = call.optionalTensor(4);
  const double epsilon = call.number(5);
  const auto perChannel = [&](const at::Tensor& v) { return v.dim() == 1 && x.dim() >= 1 && v.size(0) == x.size(-1) && v.scalar_type() == at::kFloat; };
  if (!perChannel(mean) || !perChannel(variance) || (offset && !perChannel(*offset)) || (scale && !perChannel(*scale)) || x.numel() == 0) {
    at::Tensor y = (x - mean) * at::rsqrt(variance + epsilon);
    if (scale) y = y * *scale;
    if (offset) y = y + *offset;
    return y.to(x.scalar_type());
  }
  const int64_t channels = x.size(-1), rows = x.numel() / channels;
  at::Tensor factor = at::rsqrt(variance + epsilon);
  if (scale) factor = factor * *scale;
  const at::Tensor shift = offset ? offset->contiguous() : at::zeros({channels}, at::kFloat);
  const at::Tensor centre = mean.contiguous(), dense = x.contiguous();
  factor = factor.contiguous();
  at::Tensor y = at::empty(x.sizes(), x.options());
  withStorageType(x, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    normalise<T, Activation::kLinear, false>(dense.data_ptr<T>(), nullptr, y.data_ptr<T>(),
                               {rows, channels, {centre.data_ptr<float>(), factor.data_ptr<float>(), shift.data_ptr<float>()}});
  });
  return y;
}

/** Where the activation that gave y lets gradients through, 1. */
template <typename T, Activation activation>
void findOpen(const T* __restrict y, uint8_t* __restrict open, int64_t size) {
#pragma omp simd
  for (int64_t i = 0; i < size; ++i) {
    const float value = toFloat(y[i]);
    const bool below = activation != Activation::kRelu6 || value < 6.0f;
    open[i] = static_cast<uint8_t>(value > 0.0f) & static_cast<uint8_t>(below);
  }
}

/** (x, mean, variance, offset, scale, residual | null, epsilon, activation) -> y, and with an activation where it is open */
Tensors inference(Call& call) {
  const at::Tensor x = call.tensor(0).contiguous(), mean = call.tensor(1).contiguous(), variance = call.tensor(2);
  const at::Tensor offset = call.tensor(3).contiguous(), scale = call.tensor(4);
  auto residual = call.optionalTensor(5);
  const double epsilon = call.number(6);
  const Activation activation = activationNamed(call.text(7));
  const int64_t rows = rowsOf(x), channels = x.size(-1);
  checkVector(mean, channels, "mean");
  checkVector(variance, channels, "variance");
  checkVector(offset, channels, "offset");
  checkVector(scale, channels, "scale");
  checkResidual(residual, x);
  if (residual) residual = residual->to(x.scalar_type()).contiguous();
  const at::Tensor factor = (scale * at::rsqrt(variance + epsilon)).contiguous();
  at::Tensor y = at::empty(x.sizes(), x.options());
  at::Tensor open = activation == Activation::kLinear ? at::Tensor() : at::empty(x.sizes(), at::kBool);
  withStorageType(x, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T *from = x.data_ptr<T>(), *added = residual ? residual->template data_ptr<T>() : nullptr;
    T* const to = y.data_ptr<T>();
    const PerChannel<3> given(rows, channels, {mean.data_ptr<float>(), factor.data_ptr<float>(), offset.data_ptr<float>()});
    withActivation(activation, [&](auto chosen) {
      const auto run = residual ? normalise<T, chosen, true> : normalise<T, chosen, false>;
      run(from, added, to, given);
      if (!open.defined()) return;
      auto* const gate = static_cast<uint8_t*>(open.data_ptr());
      at::parallel_for(0, x.numel(), 16384, [=](int64_t begin, int64_t end) { findOpen<T, chosen>(to + begin, gate + begin, end - begin); });
    });
  });
  if (open.defined()) return {y, open};
  return {y};
}

/** dx = factor * (dy where it is open); what comes through is kept as `g` when the residual branch needs it. */
template <typename T, bool hasGate, bool keep>
void scaleGradient(const T* __restrict dy, const uint8_t* __restrict open, T* __restrict dx, T* __restrict g, const PerChannel<1>& given) {
  const float* __restrict factor = given.values[0].data();
  const int64_t channels = given.channels;
  forEachRow(given.rows, channels, [=](int64_t row) {
#pragma omp simd
    for (int64_t c = 0; c < channels; ++c) {
      float value = toFloat(dy[row + c]);
      if (hasGate) value = open[row + c] ? value : 0.0f;
      if (keep) assign(g[row + c], value);
      assign(dx[row + c], value * factor[c]);
    }
  });
}

/** (dy, open | null, variance, scale, epsilon, residual) -> dx, and the gradient of the residual */
Tensors inferenceGrad(Call& call) {
  const at::Tensor dy = call.tensor(0).contiguous(), variance = call.tensor(2), scale = call.tensor(3);
  auto open = call.optionalTensor(1);
  const double epsilon = call.number(4);
  const bool residual = call.flag(5);
  const int64_t rows = rowsOf(dy), channels = dy.size(-1);
  checkGate(open, dy);
  checkVector(variance, channels, "variance");
  checkVector(scale, channels, "scale");
  if (open) open = open->contiguous();
  const at::Tensor factor = (scale * at::rsqrt(variance + epsilon)).contiguous();
  at::Tensor dx = at::empty(dy.sizes(), dy.options());
  at::Tensor g = residual ? at::empty(dy.sizes(), dy.options()) : at::Tensor();
  withStorageType(dy, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const auto run = open ? (residual ? scaleGradient<T, true, true> : scaleGradient<T, true, false>)
                          : (residual ? scaleGradient<T, false, true> : scaleGradient<T, false, false>);
    run(dy.data_ptr<T>(), open ? static_cast<const uint8_t*>(open->data_ptr()) : nullptr, dx.data_ptr<T>(), residual ? g.data_ptr<T>() : nullptr,
        {rows, channels, {factor.data_ptr<float>()}});
  });
  if (residual) return {dx, g};
  return {dx};
}

}  // namespace

Functions batchNormFunctions() {
  return {many("batchNormTraining", training), many("batchNormTrainingGrad", trainingGrad), one("batchNorm", broadcastInference),
          many("batchNormInference", inference), many("batchNormInferenceGrad", inferenceGrad)};
}

}  // namespace secateur
