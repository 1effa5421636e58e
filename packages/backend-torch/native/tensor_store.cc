#include "tensor_store.h"

#include <unordered_set>

namespace secateur {

int64_t TensorStore::bytes() const {
  std::unordered_set<const void*> seen;
  int64_t total = 0;
  forEach([&](const at::Tensor& tensor) {
    const auto& storage = tensor.storage();
    if (seen.insert(storage.unsafeGetStorageImpl()).second) total += static_cast<int64_t>(storage.nbytes());
  });
  return total;
}

}  // namespace secateur
