#include <napi.h>

#include "allocator.h"
#include "kernels.h"
#include "torch_versions.h"

namespace secateur {

namespace {

/** Lives as long as the Node environment (main thread or worker) that loaded the addon. */
struct Environment {
  TensorStore store;
  std::vector<Function> functions;
};

Napi::Value dispatch(const Napi::CallbackInfo& info) {
  const auto* function = static_cast<const Function*>(info.Data());
  return run(*function, info, info.Env().GetInstanceData<Environment>()->store);
}

Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  installAllocator();
  skipBacktraces();
  auto* environment = new Environment();
  env.SetInstanceData(environment);
  for (const auto family :
       {storageFunctions, runtimeFunctions, elementwiseFunctions, reductionFunctions, shapeFunctions, matmulFunctions,
        convolutionFunctions, poolingFunctions, batchNormFunctions, crossEntropyFunctions, optimiserFunctions,
        taylorFunctions, orthogonalityFunctions, packedConvolutionFunctions}) {
    for (const Function& function : family()) environment->functions.push_back(function);
  }
  for (Function& function : environment->functions) {
    exports.Set(function.name, Napi::Function::New(env, dispatch, function.name, &function));
  }
  return exports;
}

}  // namespace

}  // namespace secateur

static Napi::Object Init(Napi::Env env, Napi::Object exports) { return secateur::initialise(env, exports); }

NODE_API_MODULE(secateur_torch, Init)
