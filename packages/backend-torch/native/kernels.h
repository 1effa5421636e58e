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
Functions asyncReadFunctions();
Functions traceFunctions();

/** Of the same names as some of the above, for any device; see device.h. */
Functions portableElementwiseFunctions();
Functions portableReductionFunctions();
Functions portablePoolingFunctions();
Functions portableBatchNormFunctions();
Functions portableCrossEntropyFunctions();
Functions portableOptimiserFunctions();
Functions portableTaylorFunctions();
Functions portableOrthogonalityFunctions();
Functions portablePackedConvolutionFunctions();

}  // namespace secateur
