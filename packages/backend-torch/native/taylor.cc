// First-order Taylor importance |activation * gradient| per class, without an intermediate of the activation's size.
#include <ATen/Parallel.h>

#include <cmath>

#include "allocator.h"
#include "kernels.h"
#include "scored.h"

namespace secateur {

namespace {

/** (activation, gradient, labels, threshold, classes) -> int32 [classes, ...rest] */
at::Tensor taylorCount(Call& call) {
  const Scored s(call, 4);
  const auto threshold = static_cast<float>(call.number(3));
  Integers shape = s.activation.sizes().vec();
  shape[0] = s.classes;
  at::Tensor counts = at::zeros(shape, at::kInt);
  const float *a = s.activation.data_ptr<float>(), *g = s.gradient.data_ptr<float>();
  const int32_t* labels = s.labels.data_ptr<int32_t>();
  int32_t* count = counts.data_ptr<int32_t>();
  at::parallel_for(0, s.places, 1024, [&](int64_t begin, int64_t end) {
    for (int64_t n = 0; n < s.images; ++n) {
      const float *__restrict activation = a + n * s.places, *__restrict gradient = g + n * s.places;
      int32_t* __restrict out = count + labels[n] * s.places;
      for (int64_t i = begin; i < end; ++i) out[i] += std::fabs(activation[i] * gradient[i]) > threshold ? 1 : 0;
    }
  });
  return counts;
}

/** (activation, gradient, labels, classes) -> float32 [classes, channels] */
at::Tensor taylorSum(Call& call) {
  const Scored s(call, 3);
  const int64_t channels = s.activation.size(-1);
  const int64_t positions = channels > 0 ? s.places / channels : 0;
  const int64_t parts = std::max<int64_t>(1, std::min<int64_t>(at::get_num_threads(), s.images));
  const int64_t size = s.classes * channels;
  checkMemory(static_cast<size_t>(parts * size) * sizeof(double));
  std::vector<double> sums(static_cast<size_t>(parts * size), 0.0);
  const float *a = s.activation.data_ptr<float>(), *g = s.gradient.data_ptr<float>();
  const int32_t* labels = s.labels.data_ptr<int32_t>();
  at::parallel_for(0, parts, 1, [&](int64_t firstPart, int64_t lastPart) {
    for (int64_t part = firstPart; part < lastPart; ++part) {
      for (int64_t n = s.images * part / parts; n < s.images * (part + 1) / parts; ++n) {
        double* __restrict out = sums.data() + part * size + labels[n] * channels;
        for (int64_t p = 0; p < positions; ++p) {
          const float *__restrict activation = a + n * s.places + p * channels, *__restrict gradient = g + n * s.places + p * channels;
          for (int64_t c = 0; c < channels; ++c) out[c] += std::fabs(activation[c] * gradient[c]);
        }
      }
    }
  });
  at::Tensor result = at::empty({s.classes, channels}, at::kFloat);
  for (int64_t i = 0; i < size; ++i) {
    double total = 0;
    for (int64_t part = 0; part < parts; ++part) total += sums[static_cast<size_t>(part * size + i)];
    result.data_ptr<float>()[i] = static_cast<float>(total);
  }
  return result;
}

}  // namespace

Functions taylorFunctions() { return {one("taylorCount", taylorCount), one("taylorSum", taylorSum)}; }

}  // namespace secateur
