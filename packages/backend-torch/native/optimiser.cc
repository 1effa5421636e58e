// SGD with momentum, weight decay, an L1 term and a penalty's gradient, in one pass over the weights.
#include <ATen/Parallel.h>

#include <cmath>
#include <numeric>

#include "kernels.h"

namespace secateur {

namespace {

struct Update {
  float learningRate, momentum, weightDecay, l1, penalty;
};

/**
 * Filters live as [out, height, width, in] in memory (channels-last for ATen) under their HWIO shape. A filter that
 * came from JavaScript is plain HWIO and moves to that layout at its first update.
 */
bool hasFilterLayout(const at::Tensor& weight) { return weight.dim() != 4 || weight.permute({3, 0, 1, 2}).is_contiguous(); }

/** Any float32 filter into the layout of filters. ATen's general strided copy takes four times as long. */
at::Tensor copyToFilterLayout(const at::Tensor& hwio) {
  const int64_t height = hwio.size(0), width = hwio.size(1), in = hwio.size(2), out = hwio.size(3);
  at::Tensor result = at::empty({out, height, width, in}, hwio.options());
  const float* from = hwio.data_ptr<float>();
  float* to = result.data_ptr<float>();
  const int64_t strideY = hwio.stride(0), strideX = hwio.stride(1), strideIn = hwio.stride(2);
  at::parallel_for(0, out, std::max<int64_t>(1, 32768 / std::max<int64_t>(1, height * width * in)), [&](int64_t begin, int64_t end) {
    for (int64_t o = begin; o < end; ++o) {
      const float* __restrict source = from + o * hwio.stride(3);
      float* __restrict target = to + o * height * width * in;
      // Channel by channel, because in ATen's gradients the taps of a channel lie together.
      for (int64_t i = 0; i < in; ++i) {
        for (int64_t y = 0; y < height; ++y) {
          for (int64_t x = 0; x < width; ++x) {
            target[(y * width + x) * in + i] = source[i * strideIn + y * strideY + x * strideX];
          }
        }
      }
    }
  });
  return result.permute({1, 2, 3, 0});
}

/** A tensor with the values of `from` and the strides of `like`, which is settled. */
at::Tensor stridedLike(const at::Tensor& from, const at::Tensor& like) {
  if (from.strides() == like.strides()) return from;
  return like.dim() == 4 ? copyToFilterLayout(from) : at::empty_like(like).copy_(from);
}

/** Few enough that float holds the sum of their |weight|, many enough to fill the vector units. */
constexpr int64_t kBlock = 1024;

/** One block; returns the sum of |weight| before the update. All pointers run over memory of one layout; new may be old. */
template <bool penalised>
float updateBlock(const float* weight, const float* velocity, const float* gradient, const float* penalty, float* newWeight, float* newVelocity,
                  int64_t size, const Update& u) {
  float norm = 0;
#pragma omp simd reduction(+ : norm)
  for (int64_t i = 0; i < size; ++i) {
    const float w = weight[i];
    const float sign = static_cast<float>(w > 0.0f) - static_cast<float>(w < 0.0f);
    float d = gradient[i];
    if (penalised) d += u.penalty * penalty[i];
    d += u.l1 * sign + u.weightDecay * w;
    const float v = u.momentum * velocity[i] + d;
    norm += std::fabs(w);
    newVelocity[i] = v;
    newWeight[i] = w - u.learningRate * v;
  }
  return norm;
}

template <bool penalised>
double update(const float* weight, const float* velocity, const float* gradient, const float* penalty, float* newWeight, float* newVelocity,
              int64_t size, const Update& u) {
  const int64_t blocks = (size + kBlock - 1) / kBlock;
  std::vector<float> norms(static_cast<size_t>(blocks));
  at::parallel_for(0, blocks, 16, [&](int64_t firstBlock, int64_t lastBlock) {
    for (int64_t block = firstBlock; block < lastBlock; ++block) {
      const int64_t at = block * kBlock;
      norms[static_cast<size_t>(block)] = updateBlock<penalised>(weight + at, velocity + at, gradient + at, penalised ? penalty + at : nullptr,
                                                                 newWeight + at, newVelocity + at, std::min(kBlock, size - at), u);
    }
  });
  return std::accumulate(norms.begin(), norms.end(), 0.0);
}

void checkSameShape(const at::Tensor& tensor, const at::Tensor& weight, const char* role) {
  TORCH_CHECK(tensor.sizes() == weight.sizes(), "expected ", role, " of the weight's shape ", weight.sizes(), ", but got ", tensor.sizes());
}

void checkFloat(const at::Tensor& tensor, const char* role) {
  TORCH_CHECK(tensor.scalar_type() == at::kFloat, "expected a float32 ", role, ", but got ", tensor.scalar_type());
}

/**
 * (weight, velocity, gradient, penaltyGradient | null, learningRate, momentum, weightDecay, l1, penalty, mayReuseWeight, mayReuseVelocity)
 * -> [weight | null, velocity | null, l1Norm]; null: updated in place, the old handle stays.
 */
Napi::Value sgdMomentumUpdate(Call& call) {
  const at::Tensor weight = call.tensor(0), velocity = call.tensor(1);
  at::Tensor gradient = call.tensor(2);
  auto penaltyGradient = call.optionalTensor(3);
  const auto f = [&](size_t position) { return static_cast<float>(call.number(position)); };
  const Update u{f(4), f(5), f(6), f(7), f(8)};
  checkFloat(weight, "weight");
  checkFloat(velocity, "velocity");
  checkSameShape(velocity, weight, "a velocity");
  checkSameShape(gradient, weight, "a gradient");
  if (penaltyGradient) checkSameShape(*penaltyGradient, weight, "a penalty gradient");

  const bool settled = weight.is_non_overlapping_and_dense() && hasFilterLayout(weight);
  const at::Tensor oldWeight = settled ? weight : weight.dim() == 4 ? copyToFilterLayout(weight) : weight.contiguous();
  const at::Tensor oldVelocity = stridedLike(velocity, oldWeight);
  gradient = stridedLike(gradient.to(at::kFloat), oldWeight);
  if (penaltyGradient) penaltyGradient = stridedLike(penaltyGradient->to(at::kFloat), oldWeight);
  const bool reuseWeight = call.flag(9) && settled;
  const bool reuseVelocity = call.flag(10) && oldVelocity.is_same(velocity);
  const at::Tensor newWeight = reuseWeight ? weight : at::empty_like(oldWeight);
  const at::Tensor newVelocity = reuseVelocity ? velocity : at::empty_like(oldWeight);
  const auto run = penaltyGradient ? update<true> : update<false>;
  const double norm = run(oldWeight.data_ptr<float>(), oldVelocity.data_ptr<float>(), gradient.data_ptr<float>(),
                             penaltyGradient ? penaltyGradient->data_ptr<float>() : nullptr, newWeight.data_ptr<float>(),
                             newVelocity.data_ptr<float>(), weight.numel(), u);

  auto result = Napi::Array::New(call.env(), 3);
  const auto handle = [&](const at::Tensor& tensor, bool reused) -> Napi::Value {
    if (reused) return call.env().Null();
    return Napi::Number::New(call.env(), call.store().add(tensor));
  };
  result.Set(0u, handle(newWeight, reuseWeight));
  result.Set(1u, handle(newVelocity, reuseVelocity));
  result.Set(2u, handle(at::full({}, norm, at::kFloat), false));
  return result;
}

}  // namespace

Functions optimiserFunctions() { return {plain("sgdMomentumUpdate", sgdMomentumUpdate)}; }

}  // namespace secateur
