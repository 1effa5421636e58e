// Elementwise functions, one value per element, with tfjs's rules for NaN, integers and broadcasting.
#include <ATen/Parallel.h>

#include "floats.h"
#include "kernels.h"

namespace secateur {

namespace {

template <at::Tensor (*F)(const at::Tensor&)>
at::Tensor unary(Call& call) {
  return F(call.tensor(0));
}

/**
 * In bfloat16 mode activations are bfloat16 and parameters float32. A small operand that is broadcast into a bfloat16 activation
 * does not widen it: only operands of the result's own size decide how the result is stored.
 */
at::Tensor stored(at::Tensor result, const at::Tensor& a, const at::Tensor& b) {
  if (a.scalar_type() == b.scalar_type() || !a.is_floating_point() || !b.is_floating_point()) return result;
  const bool aDecides = a.numel() == result.numel();
  const bool bDecides = b.numel() == result.numel();
  if (aDecides == bDecides) return result;
  return result.to((aDecides ? a : b).scalar_type());
}

template <at::Tensor (*F)(const at::Tensor&, const at::Tensor&)>
at::Tensor binary(Call& call) {
  const at::Tensor a = call.tensor(0), b = call.tensor(1);
  return stored(F(a, b), a, b);
}

template <at::Tensor (*F)(const at::Tensor&, const at::Tensor&)>
at::Tensor compare(Call& call) {
  const at::Tensor a = call.tensor(0), b = call.tensor(1);
  return F(a, b);
}

at::Tensor add(const at::Tensor& a, const at::Tensor& b) { return at::add(a, b); }
at::Tensor sub(const at::Tensor& a, const at::Tensor& b) { return at::sub(a, b); }
at::Tensor div(const at::Tensor& a, const at::Tensor& b) { return at::div(a, b); }

at::Tensor squaredDifference(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor difference = at::sub(a, b);
  return at::mul(difference, difference);
}

/** Always int32, computed in double and converted as JavaScript does: x / 0 becomes 0. */
at::Tensor floorDiv(const at::Tensor& a, const at::Tensor& b) {
  return at::div(a.to(at::kDouble), b.to(at::kDouble)).floor().nan_to_num(0, 0, 0).fmod(0x1p32).to(at::kLong).to(at::kInt);
}

at::Tensor remainder(const at::Tensor& a, const at::Tensor& b) {
  // The processor traps on -2^31 % -1.
  TORCH_CHECK(a.is_floating_point() && b.is_floating_point(), "expected float values");
  return at::remainder(a, b);
}

/** Math.pow differs from C's pow where |a| is 1 and b is not finite, and for a NaN exponent. */
at::Tensor pow(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor undefined = at::logical_and(a.abs().eq(1), at::isfinite(b).logical_not());
  return at::pow(a, b).masked_fill(undefined, NAN);
}

/** Two choices without branches: random signs would mispredict. */
template <typename T>
void stepRange(const T* __restrict from, T* __restrict to, float below, int64_t count) {
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) {
    const float value = toFloat(from[i]);
    const float chosen = value > 0.0f ? 1.0f : below;
    assign(to[i], value == value ? chosen : value);
  }
}

/** NaN stays NaN. Every gradient of ReLU asks for this: one pass instead of three. */
at::Tensor step(Call& call) {
  const at::Tensor x = call.tensor(0).contiguous();
  const auto below = static_cast<float>(call.number(1));
  at::Tensor y = at::empty(x.sizes(), x.options());
  withStorageType(x, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T* const from = x.data_ptr<T>();
    T* const to = y.data_ptr<T>();
    at::parallel_for(0, x.numel(), 1 << 14, [=](int64_t begin, int64_t end) { stepRange(from + begin, to + begin, below, end - begin); });
  });
  return y;
}

at::Tensor leakyRelu(Call& call) { return at::leaky_relu(call.tensor(0), call.number(1)); }

at::Tensor prelu(Call& call) {
  const at::Tensor x = call.tensor(0), slope = call.tensor(1);
  return stored(at::where(x.lt(0), at::mul(slope, x), x.to(at::result_type(slope, x))), x, slope);
}

at::Tensor clip(Call& call) { return at::clamp(call.tensor(0), call.number(1), call.number(2)); }

at::Tensor relu6(const at::Tensor& x) { return at::clamp(x, 0, 6); }
at::Tensor elu(const at::Tensor& x) { return at::elu(x); }
at::Tensor softplus(const at::Tensor& x) { return at::softplus(x); }
at::Tensor round(const at::Tensor& x) { return at::round(x); }

at::Tensor eluGrad(const at::Tensor& dy, const at::Tensor& y) {
  TORCH_CHECK(dy.sizes() == y.sizes(), "expected dy and y of one shape");
  return at::where(y.ge(0), dy, dy * (y + 1));
}

at::Tensor select(Call& call) {
  at::Tensor condition = call.tensor(0);
  const at::Tensor whenTrue = call.tensor(1), whenFalse = call.tensor(2);
  // A vector condition chooses whole rows.
  if (condition.dim() == 1 && whenTrue.dim() > 1) {
    Integers rows(static_cast<size_t>(whenTrue.dim()), 1);
    rows[0] = condition.size(0);
    condition = condition.reshape(rows);
  }
  const auto type = at::result_type(whenTrue, whenFalse);
  const at::Tensor chosen = at::where(condition.to(at::kBool), whenTrue.to(type), whenFalse.to(type));
  TORCH_CHECK(chosen.sizes() == whenTrue.sizes(), "expected a condition and a second choice of the first choice's shape ", whenTrue.sizes());
  return chosen;
}

at::Tensor addN(Call& call) {
  const Tensors terms = call.tensors(0);
  TORCH_CHECK(!terms.empty(), "expected at least one tensor");
  at::Tensor total = terms[0].clone();
  for (size_t i = 1; i < terms.size(); ++i) total = total.scalar_type() == terms[i].scalar_type() ? total.add_(terms[i]) : total.add(terms[i]);
  return total;
}

}  // namespace

Functions elementwiseFunctions() {
  return {
      one("abs", unary<at::abs>),
      one("neg", unary<at::neg>),
      one("sign", unary<at::sign>),
      one("square", unary<at::square>),
      one("relu", unary<at::relu>),
      one("relu6", unary<relu6>),
      one("elu", unary<elu>),
      one("sigmoid", unary<at::sigmoid>),
      one("softplus", unary<softplus>),
      one("exp", unary<at::exp>),
      one("expm1", unary<at::expm1>),
      one("log", unary<at::log>),
      one("log1p", unary<at::log1p>),
      one("sqrt", unary<at::sqrt>),
      one("rsqrt", unary<at::rsqrt>),
      one("reciprocal", unary<at::reciprocal>),
      one("floor", unary<at::floor>),
      one("ceil", unary<at::ceil>),
      one("round", unary<round>),
      one("sin", unary<at::sin>),
      one("cos", unary<at::cos>),
      one("tan", unary<at::tan>),
      one("asin", unary<at::asin>),
      one("acos", unary<at::acos>),
      one("atan", unary<at::atan>),
      one("sinh", unary<at::sinh>),
      one("cosh", unary<at::cosh>),
      one("tanh", unary<at::tanh>),
      one("asinh", unary<at::asinh>),
      one("acosh", unary<at::acosh>),
      one("atanh", unary<at::atanh>),
      one("erf", unary<at::erf>),
      one("selu", unary<at::selu>),
      one("isNan", unary<at::isnan>),
      one("isInf", unary<at::isinf>),
      one("isFinite", unary<at::isfinite>),
      one("logicalNot", unary<at::logical_not>),
      one("step", step),
      one("leakyRelu", leakyRelu),
      one("prelu", prelu),
      one("clip", clip),
      one("eluGrad", binary<eluGrad>),
      one("add", binary<add>),
      one("sub", binary<sub>),
      one("mul", binary<at::mul>),
      one("div", binary<div>),
      one("maximum", binary<at::maximum>),
      one("minimum", binary<at::minimum>),
      one("remainder", binary<remainder>),
      one("squaredDifference", binary<squaredDifference>),
      one("atan2", binary<at::atan2>),
      one("pow", binary<pow>),
      one("floorDiv", compare<floorDiv>),
      one("equal", compare<at::eq>),
      one("notEqual", compare<at::ne>),
      one("less", compare<at::lt>),
      one("lessEqual", compare<at::le>),
      one("greater", compare<at::gt>),
      one("greaterEqual", compare<at::ge>),
      one("logicalAnd", compare<at::logical_and>),
      one("logicalOr", compare<at::logical_or>),
      one("logicalXor", compare<at::logical_xor>),
      one("select", select),
      one("addN", addN),
  };
}

}  // namespace secateur
