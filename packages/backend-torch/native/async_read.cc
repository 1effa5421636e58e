// Reading values while JavaScript goes on: a thread of Node's pool waits for the device. The processor has nothing to wait for.
#include <cstring>

#include "device.h"
#include "kernels.h"
#include "typed_array.h"

namespace secateur {

namespace {

class Reading final : public Napi::AsyncWorker {
 public:
  Reading(Napi::Env env, const at::Tensor& tensor)
      : AsyncWorker(env), promise_(Napi::Promise::Deferred::New(env)), copy_(tensor), bytes_(tensor.nbytes()) {
    const Napi::TypedArray array = typedArray(env, tensor);
    target_ = bytes_ > 0 ? dataOf(array) : nullptr;
    array_ = Napi::Persistent(array.As<Napi::Object>());
  }

  Napi::Promise promise() const { return promise_.Promise(); }

 protected:
  void Execute() override {
    const at::Tensor& values = copy_.wait();
    if (bytes_ > 0) std::memcpy(target_, values.data_ptr(), bytes_);
  }

  void OnOK() override { promise_.Resolve(array_.Value()); }
  void OnError(const Napi::Error& error) override { promise_.Reject(error.Value()); }

 private:
  Napi::Promise::Deferred promise_;
  HostCopy copy_;
  size_t bytes_;
  void* target_;
  Napi::ObjectReference array_;
};

/** (handle) -> Promise of what toArray returns: the values of now, whatever is done to the tensor before they arrive */
Napi::Value toArrayAsync(Call& call) {
  const at::Tensor tensor = call.tensor(0);
  if (tensor.device().is_cpu()) {
    const auto promise = Napi::Promise::Deferred::New(call.env());
    promise.Resolve(readNow(call.env(), tensor));
    return promise.Promise();
  }
  auto* reading = new Reading(call.env(), readable(tensor));  // deletes itself
  reading->Queue();
  return reading->promise();
}

}  // namespace

Functions asyncReadFunctions() { return {plain("toArrayAsync", toArrayAsync)}; }

}  // namespace secateur
