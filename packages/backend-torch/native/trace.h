// The native calls that a piece of JavaScript makes, noted once and run again without it.
#pragma once

#include <unordered_set>

#include "call.h"

namespace secateur {

/** A call that was made, and the handles that it took and gave. */
struct Step {
  Function function;
  Arguments arguments;
  Handles inputs, outputs;
};

class Recording {
 public:
  explicit Recording(const Handles& inputs) : inputs(inputs), computed_(inputs.begin(), inputs.end()) {}

  void note(Step step, const TensorStore& store);
  /** @throws c10::Error when a plain function took what depends on the inputs: what it did with that cannot be repeated */
  void pass(const Function& function, const Handles& handles);
  bool computed(double handle) const { return computed_.count(handle) > 0; }

  const Handles inputs;
  std::vector<Step> steps;
  /** Made from no other tensor. */
  TensorByHandle constants;
  /** Name of a function that cannot be repeated, also where JavaScript caught the error. */
  std::string obstacle;

 private:
  std::unordered_set<double> computed_;
};

/** What this thread, and so this Node environment, records; null when nothing. */
Recording* currentRecording();

}  // namespace secateur
