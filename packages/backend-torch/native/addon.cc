#include <napi.h>

#include <string>
#include <unordered_map>

#include "allocator.h"
#include "device.h"
#include "kernels.h"
#include "torch_versions.h"

namespace secateur {

namespace {

/** A function of the addon: its kernel for the processor, and the one for any device. Most are the same. */
struct Export {
  Function onProcessor, anywhere;
};

/** Lives as long as the Node environment (main thread or worker) that loaded the addon. */
struct Environment {
  TensorStore store;
  std::vector<Export> functions;
};

Napi::Value dispatch(const Napi::CallbackInfo& info) {
  const auto* called = static_cast<const Export*>(info.Data());
  return run(usesProcessorKernels() ? called->onProcessor : called->anywhere, info, info.Env().GetInstanceData<Environment>()->store);
}

std::vector<Export> allFunctions() {
  std::unordered_map<std::string, Function> portable;
  for (const auto family : {portableElementwiseFunctions, portableReductionFunctions, portablePoolingFunctions, portableBatchNormFunctions,
                            portableCrossEntropyFunctions, portableOptimiserFunctions, portableTaylorFunctions, portableOrthogonalityFunctions,
                            portablePackedConvolutionFunctions}) {
    for (const Function& function : family()) portable.emplace(function.name, function);
  }
  std::vector<Export> all;
  for (const auto family :
       {storageFunctions, runtimeFunctions, elementwiseFunctions, reductionFunctions, shapeFunctions, matmulFunctions,
        convolutionFunctions, poolingFunctions, batchNormFunctions, crossEntropyFunctions, optimiserFunctions,
        taylorFunctions, orthogonalityFunctions, packedConvolutionFunctions, asyncReadFunctions,
        traceFunctions}) {
    for (const Function& function : family()) {
      const auto found = portable.find(function.name);
      all.push_back({function, found == portable.end() ? function : found->second});
    }
  }
  return all;
}

Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  installAllocator();
  skipBacktraces();
  auto* environment = new Environment();
  env.SetInstanceData(environment);
  environment->functions = allFunctions();
  for (Export& function : environment->functions) {
    const char* name = function.onProcessor.name;
    exports.Set(name, Napi::Function::New(env, dispatch, name, &function));
  }
  return exports;
}

}  // namespace

}  // namespace secateur

static Napi::Object Init(Napi::Env env, Napi::Object exports) { return secateur::initialise(env, exports); }

NODE_API_MODULE(secateur_torch, Init)
