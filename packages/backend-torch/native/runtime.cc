// Threads, memory and versions.
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <torch/version.h>

#include "device.h"
#include "gemm.h"
#include "kernels.h"

namespace secateur {

namespace {

Napi::Value setThreads(Call& call) {
  const int64_t count = call.integer(0);
  TORCH_CHECK(count >= 1 && count <= 1024, "expected a number of threads between 1 and 1024, but got ", count);
  at::set_num_threads(static_cast<int>(count));
  return call.env().Undefined();
}

Napi::Value threads(Call& call) { return Napi::Number::New(call.env(), at::get_num_threads()); }

/** (name, portable) -> the device's full name. Tensors that exist move there when they are next used. */
Napi::Value chooseDevice(Call& call) {
  setDevice(at::Device(call.text(0)), call.flag(1));
  return Napi::String::New(call.env(), device().str());
}

Napi::Value cudaDeviceCount(Call& call) { return Napi::Number::New(call.env(), static_cast<double>(cudaDevices())); }

Napi::Value waitForDevice(Call& call) {
  synchronise();
  return call.env().Undefined();
}

/** Of convolutions and products of float32 on GPUs; of no effect elsewhere. */
Napi::Value allowTf32(Call& call) {
  const bool allowed = call.flag(0);
  at::globalContext().setAllowTF32CuDNN(allowed);
  at::globalContext().setAllowTF32CuBLAS(allowed);
  return call.env().Undefined();
}

Napi::Value memory(Call& call) {
  auto result = Napi::Object::New(call.env());
  result.Set("tensors", static_cast<double>(call.store().live()));
  result.Set("bytes", static_cast<double>(call.store().bytes()));
  result.Set("reservedBytes", static_cast<double>(reservedOnDevice()));
  return result;
}

Napi::Value trim(Call& call) { return Napi::Number::New(call.env(), static_cast<double>(trimDevice())); }

/** The line of libtorch's configuration report that starts with the words, without them. */
std::string configured(const std::string& words) {
  const std::string report = at::show_config();
  const size_t start = report.find(words);
  if (start == std::string::npos) return "";
  const size_t from = start + words.size();
  return report.substr(from, report.find('\n', from) - from);
}

Napi::Value versions(Call& call) {
  auto result = Napi::Object::New(call.env());
  result.Set("libtorch", TORCH_VERSION);
  result.Set("cpuCapability", configured("CPU capability usage: "));
  result.Set("onednn", at::get_mkldnn_version());
  result.Set("matrixProducts", gemmLibrary());
  result.Set("compiler", __VERSION__);
#if defined(__AVX512F__)
  result.Set("compiledFor", "avx512");
#elif defined(__AVX2__)
  result.Set("compiledFor", "avx2");
#elif defined(__aarch64__)
  result.Set("compiledFor", "arm64");
#else
  result.Set("compiledFor", "generic");
#endif
  return result;
}

}  // namespace

Functions runtimeFunctions() {
  return {plain("setThreads", setThreads), plain("threads", threads), plain("memory", memory), plain("trim", trim),
          plain("versions", versions), plain("setDevice", chooseDevice), plain("cudaDevices", cudaDeviceCount),
          plain("synchronise", waitForDevice), plain("allowTf32", allowTf32)};
}

}  // namespace secateur
