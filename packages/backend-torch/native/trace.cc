#include "trace.h"

#include <algorithm>
#include <memory>

#include "device.h"
#include "kernels.h"

namespace secateur {

namespace {

constexpr auto kNotRepeatable = "what JavaScript does with values that depend on the inputs is not known to a trace";

std::unique_ptr<Recording>& recordingOfThread() {
  static thread_local std::unique_ptr<Recording> recording;
  return recording;
}

struct Repeated {
  Step step;
  /** Handles that no later step reads. */
  Handles last;
};

struct Trace {
  at::Device device;
  Handles inputs, outputs;
  TensorByHandle constants;
  std::vector<Repeated> steps;
};

/** One per thread, and so one per Node environment. */
HandleStore<std::shared_ptr<const Trace>>& traceStore() {
  static thread_local HandleStore<std::shared_ptr<const Trace>> store("trace");
  return store;
}

/** The steps that the outputs need, each with the handles that it is the last to read. */
std::vector<Repeated> neededSteps(std::vector<Step> steps, const Handles& outputs) {
  std::unordered_set<double> needed(outputs.begin(), outputs.end());
  std::vector<Repeated> result;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    if (std::none_of(step->outputs.begin(), step->outputs.end(), [&](double output) { return needed.count(output) > 0; })) continue;
    Handles last;
    for (const double output : step->outputs) {
      if (needed.insert(output).second) last.push_back(output);
    }
    for (const double input : step->inputs) {
      if (needed.insert(input).second) last.push_back(input);
    }
    result.push_back({std::move(*step), std::move(last)});
  }
  std::reverse(result.begin(), result.end());
  return result;
}

Handles handlesOf(Call& call, size_t position) {
  call.tensors(position);
  return call.handles();
}

/** (inputs) -> nothing; from now on every call is noted */
Napi::Value startTrace(Call& call) {
  TORCH_CHECK(!recordingOfThread(), "expected no trace being made already");
  const Handles inputs = handlesOf(call, 0);
  TORCH_CHECK(!inputs.empty(), "expected at least one input");
  recordingOfThread() = std::make_unique<Recording>(inputs);
  return call.env().Undefined();
}

/** Without effect where nothing is recorded. */
Napi::Value abandonTrace(Call& call) {
  recordingOfThread().reset();
  return call.env().Undefined();
}

/** (outputs) -> trace */
Napi::Value endTrace(Call& call) {
  const auto recording = std::move(recordingOfThread());
  TORCH_CHECK(recording, "expected a trace being made");
  TORCH_CHECK(recording->obstacle.empty(), recording->obstacle, ": ", kNotRepeatable);
  const Handles outputs = handlesOf(call, 0);
  for (size_t i = 0; i < outputs.size(); ++i) {
    TORCH_CHECK(recording->computed(outputs[i]), "output ", i, " does not depend on the inputs");
  }
  const Trace trace{device(), recording->inputs, outputs, std::move(recording->constants), neededSteps(std::move(recording->steps), outputs)};
  return Napi::Number::New(call.env(), traceStore().add(std::make_shared<const Trace>(trace)));
}

void repeat(const Repeated& repeated, TensorByHandle& values, TensorStore& store) {
  const Step& step = repeated.step;
  Call call(step.arguments, values, store);
  Tensors outputs;
  try {
    outputs = outputsOf(step.function, call);
  } catch (const std::exception& error) {
    TORCH_CHECK(false, failureOf(step.function, call, error));
  }
  for (size_t i = 0; i < outputs.size(); ++i) values.insert_or_assign(step.outputs[i], std::move(outputs[i]));
  for (const double handle : repeated.last) values.erase(handle);
}

/** (trace, inputs) -> outputs */
Tensors runTrace(Call& call) {
  const auto trace = traceStore().get(call.number(0));
  const Tensors inputs = call.tensors(1);
  TORCH_CHECK(inputs.size() == trace->inputs.size(), "expected ", trace->inputs.size(), " inputs, but got ", inputs.size());
  TORCH_CHECK(device() == trace->device, "the trace was made on ", trace->device, ", but the device is ", device(), " now");
  TensorByHandle values = trace->constants;
  for (size_t i = 0; i < inputs.size(); ++i) values.insert_or_assign(trace->inputs[i], inputs[i]);
  for (const Repeated& repeated : trace->steps) repeat(repeated, values, call.store());
  Tensors outputs;
  for (const double handle : trace->outputs) outputs.push_back(values.at(handle));
  values.clear();
  // Each owns its memory, so that one may be changed in place: views of weights and of one another are copied.
  for (at::Tensor& output : outputs) {
    if (output.use_count() > 1 || output.storage().use_count() > 1) output = output.clone();
  }
  return outputs;
}

Napi::Value releaseTrace(Call& call) {
  traceStore().release(call.number(0));
  return call.env().Undefined();
}

}  // namespace

void Recording::note(Step step, const TensorStore& store) {
  const bool isConstant = std::all_of(step.inputs.begin(), step.inputs.end(), [&](double input) { return constants.count(input) > 0; });
  for (const double output : step.outputs) {
    if (isConstant) constants.emplace(output, store.get(output));
    else computed_.insert(output);
  }
  if (!isConstant) steps.push_back(std::move(step));
}

void Recording::pass(const Function& function, const Handles& handles) {
  if (function.describes || std::none_of(handles.begin(), handles.end(), [&](double handle) { return computed(handle); })) return;
  obstacle = function.name;
  TORCH_CHECK(false, kNotRepeatable);
}

Recording* currentRecording() { return recordingOfThread().get(); }

Functions traceFunctions() {
  return {plain("startTrace", startTrace), plain("abandonTrace", abandonTrace), plain("endTrace", endTrace), many("runTrace", runTrace),
          plain("releaseTrace", releaseTrace)};
}

}  // namespace secateur
