// Moving values between JavaScript's typed arrays and tensors.
#include <cstring>

#include "device.h"
#include "kernels.h"
#include "typed_array.h"

namespace secateur {

namespace {

at::ScalarType scalarType(const std::string& dtype) {
  if (dtype == "float32") return at::kFloat;
  if (dtype == "int32") return at::kInt;
  if (dtype == "bool") return at::kBool;
  TORCH_CHECK(false, "dtype '", dtype, "' has no native storage; expected float32, int32 or bool");
}

napi_typedarray_type arrayType(at::ScalarType type) {
  if (type == at::kFloat) return napi_float32_array;
  return type == at::kInt ? napi_int32_array : napi_uint8_array;
}

/** (values: Float32Array | Int32Array | Uint8Array, shape, dtype) -> handle */
at::Tensor fromArray(Call& call) {
  const Napi::Value value = call.value(0);
  TORCH_CHECK(value.IsTypedArray(), "expected a typed array of values");
  const auto type = scalarType(call.text(2));
  const Integers shape = call.integers(1);
  // Last of all, because reading the shape may run JavaScript, which may detach the array. Takes shared memory too.
  napi_typedarray_type given;
  size_t length;
  void* data;
  TORCH_CHECK(napi_get_typedarray_info(call.env(), value, &given, &length, &data, nullptr, nullptr) == napi_ok, "the typed array cannot be read");
  TORCH_CHECK(given == arrayType(type), "the typed array does not match dtype ", call.text(2));
  at::Tensor tensor = hostTensor(shape, type);
  TORCH_CHECK(static_cast<int64_t>(length) == tensor.numel(), "expected ", tensor.numel(), " values for shape ", tensor.sizes(), ", but got ",
              length);
  if (tensor.numel() == 0) return tensor.to(device());
  const auto* source = static_cast<const uint8_t*>(data);
  if (type == at::kBool) {
    auto* flags = tensor.data_ptr<bool>();
    for (int64_t i = 0; i < tensor.numel(); ++i) flags[i] = source[i] != 0;
  } else {
    std::memcpy(tensor.data_ptr(), source, tensor.nbytes());
  }
  return tensor.to(device(), /*non_blocking=*/true);
}

/** (handle) -> Float32Array | Int32Array | Uint8Array, in row-major order; bfloat16 widens to float32 */
Napi::Value toArray(Call& call) { return readNow(call.env(), call.tensor(0)); }

Napi::Value release(Call& call) {
  call.store().release(call.number(0));
  return call.env().Undefined();
}

/** (handle, shape) -> another handle on the same memory where strides allow, else on a copy */
at::Tensor viewAs(Call& call) { return call.tensor(0).reshape(call.integers(1)); }

at::Tensor filled(Call& call) { return at::full(call.integers(0), call.number(1), ofType(scalarType(call.text(2)))); }

/** (handle) -> 'float32' | 'bfloat16' | 'int32' | 'bool': how the values are stored */
Napi::Value storageType(Call& call) {
  const auto type = call.tensor(0).scalar_type();
  const char* name = type == at::kFloat ? "float32" : type == at::kBFloat16 ? "bfloat16" : type == at::kInt ? "int32" : "bool";
  return Napi::String::New(call.env(), name);
}

at::Tensor cast(Call& call) {
  const at::Tensor x = call.tensor(0);
  const auto type = scalarType(call.text(1));
  if (type == at::kFloat) return x.is_floating_point() ? x.clone() : x.to(at::kFloat);
  if (type == at::kBool) return x.ne(0);
  // JavaScript's conversion: towards zero, modulo 2^32, NaN and infinities to 0.
  if (x.is_floating_point()) return x.to(at::kDouble).nan_to_num(0, 0, 0).fmod(0x1p32).to(at::kLong).to(at::kInt);
  return x.to(at::kInt, /*non_blocking=*/false, /*copy=*/true);
}

}  // namespace

Functions storageFunctions() {
  return {one("fromArray", fromArray), plain("toArray", toArray), plain("release", release), view("viewAs", viewAs),
          one("filled", filled), description("storageType", storageType), one("cast", cast)};
}

}  // namespace secateur
