// What an SGD update is called with, and what it returns.
#pragma once

#include "call.h"

namespace secateur {

/**
 * (weight, velocity, gradient, penaltyGradient | null, learningRate, momentum, weightDecay, l1, penalty, mayReuseWeight, mayReuseVelocity)
 * -> [weight | null, velocity | null, l1Norm]; null: updated in place, the old handle stays.
 */
struct SgdCall {
  at::Tensor weight, velocity, gradient;
  MaybeTensor penaltyGradient;
  float learningRate, momentum, weightDecay, l1, penalty;
  bool mayReuseWeight, mayReuseVelocity;

  explicit SgdCall(Call& call) : weight(call.tensor(0)), velocity(call.tensor(1)), gradient(call.tensor(2)), penaltyGradient(call.optionalTensor(3)) {
    const auto number = [&](size_t position) { return static_cast<float>(call.number(position)); };
    learningRate = number(4);
    momentum = number(5);
    weightDecay = number(6);
    l1 = number(7);
    penalty = number(8);
    checkFloat(weight, "weight");
    checkFloat(velocity, "velocity");
    checkSameShape(velocity, "a velocity");
    checkSameShape(gradient, "a gradient");
    if (penaltyGradient) checkSameShape(*penaltyGradient, "a penalty gradient");
    mayReuseWeight = call.flag(9);
    mayReuseVelocity = call.flag(10);
  }

  Napi::Value result(Call& call, const at::Tensor& newWeight, const at::Tensor& newVelocity, const at::Tensor& norm) const {
    auto handles = Napi::Array::New(call.env(), 3);
    const auto handle = [&](const at::Tensor& tensor, const at::Tensor& old) -> Napi::Value {
      if (tensor.is_same(old)) return call.env().Null();
      return Napi::Number::New(call.env(), call.store().add(tensor));
    };
    handles.Set(0u, handle(newWeight, weight));
    handles.Set(1u, handle(newVelocity, velocity));
    handles.Set(2u, handle(norm, at::Tensor()));
    return handles;
  }

 private:
  void checkSameShape(const at::Tensor& tensor, const char* role) const {
    TORCH_CHECK(tensor.sizes() == weight.sizes(), "expected ", role, " of the weight's shape ", weight.sizes(), ", but got ", tensor.sizes());
  }

  static void checkFloat(const at::Tensor& tensor, const char* role) {
    TORCH_CHECK(tensor.scalar_type() == at::kFloat, "expected a float32 ", role, ", but got ", tensor.scalar_type());
  }
};

}  // namespace secateur
