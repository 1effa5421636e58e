// oneDNN packs filters for the processor alone.
#include "../kernels.h"

namespace secateur {

namespace {

Napi::Value canPackConvolution(Call& call) { return Napi::Boolean::New(call.env(), false); }

Napi::Value packConvolution(Call& call) {
  call.tensor(0);
  TORCH_CHECK(false, "convolutions are packed for the processor alone");
}

at::Tensor runPackedConvolution(Call& call) {
  call.number(0);
  TORCH_CHECK(false, "no packed convolution runs but on the processor");
}

}  // namespace

Functions portablePackedConvolutionFunctions() {
  return {plain("canPackConvolution", canPackConvolution), plain("packConvolution", packConvolution),
          one("runPackedConvolution", runPackedConvolution)};
}

}  // namespace secateur
