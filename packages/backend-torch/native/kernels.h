// The native functions by family; addon.cc exports them all.
#pragma once

#include "call.h"

namespace secateur {

Functions storageFunctions();
Functions runtimeFunctions();
Functions elementwiseFunctions();
Functions reductionFunctions();
Functions shapeFunctions();
Functions matmulFunctions();
Functions convolutionFunctions();
Functions poolingFunctions();
Functions batchNormFunctions();
Functions crossEntropyFunctions();
Functions optimiserFunctions();
Functions taylorFunctions();
Functions orthogonalityFunctions();
Functions packedConvolutionFunctions();

}  // namespace secateur
