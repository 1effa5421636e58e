// Functions that move values without computing: slicing, joining, padding, gathering, searching.
#include <limits>

#include "allocator.h"
#include "device.h"
#include "kernels.h"

namespace secateur {

namespace {

at::Tensor transpose(Call& call) { return call.tensor(0).permute(call.integers(1)).contiguous(); }

at::Tensor concat(Call& call) { return at::cat(call.tensors(0), call.integer(1)); }

at::Tensor pack(Call& call) { return at::stack(call.tensors(0), call.integer(1)); }

Tensors unpack(Call& call) {
  Tensors parts = at::unbind(call.tensor(0), call.integer(1));
  for (at::Tensor& part : parts) part = part.contiguous();
  return parts;
}

/** (x, sizes, axis) */
Tensors split(Call& call) {
  Tensors parts = at::split_with_sizes(call.tensor(0), call.integers(1), call.integer(2));
  for (at::Tensor& part : parts) part = part.contiguous();
  return parts;
}

/** (x, begin, size) */
at::Tensor slice(Call& call) {
  at::Tensor x = call.tensor(0);
  const Integers begin = call.integers(1, x.dim()), size = call.integers(2, x.dim());
  for (int64_t axis = 0; axis < x.dim(); ++axis) x = x.narrow(axis, begin[axis], size[axis]);
  return x.contiguous();
}

/** (x, begin, strides, size): strides may be negative. */
at::Tensor stridedSlice(Call& call) {
  at::Tensor x = call.tensor(0);
  const Integers begin = call.integers(1, x.dim()), strides = call.integers(2, x.dim()), size = call.integers(3, x.dim());
  for (int64_t axis = 0; axis < x.dim(); ++axis) {
    const int64_t length = x.size(axis);
    TORCH_CHECK(size[axis] >= 0 && size[axis] <= length && (size[axis] <= 1 || std::abs(strides[axis]) < length), "cannot take ", size[axis],
                " values at a stride of ", strides[axis], " from an axis of length ", length);
    const at::Tensor positions = at::arange(size[axis], ofType(at::kLong)) * strides[axis] + begin[axis];
    x = x.index_select(axis, positions);
  }
  return x;
}

/** (x, before and after for each axis, value) */
at::Tensor pad(Call& call) {
  const at::Tensor x = call.tensor(0);
  const Integers paddings = call.integers(1, 2 * x.dim());
  Integers lastAxisFirst, shape = x.sizes().vec();
  for (int64_t axis = x.dim() - 1; axis >= 0; --axis) {
    lastAxisFirst.push_back(paddings[2 * axis]);
    lastAxisFirst.push_back(paddings[2 * axis + 1]);
    shape[axis] += paddings[2 * axis] + paddings[2 * axis + 1];
  }
  // ATen refuses an axis of length 0 that stays so.
  if (x.numel() == 0) return at::full(shape, call.number(2), x.options());
  return at::constant_pad_nd(x, lastAxisFirst, call.number(2));
}

/** (x, before and after for each axis, skipEdge): reflect leaves the edge out, symmetric repeats it. */
at::Tensor mirrorPad(Call& call) {
  at::Tensor x = call.tensor(0);
  const Integers paddings = call.integers(1, 2 * x.dim());
  const int64_t skip = call.flag(2) ? 1 : 0;
  for (int64_t axis = 0; axis < x.dim(); ++axis) {
    const int64_t length = x.size(axis), before = paddings[2 * axis], after = paddings[2 * axis + 1];
    TORCH_CHECK(before >= 0 && after >= 0 && before <= length - skip && after <= length - skip, "cannot mirror ", before, " and ", after,
                " values around an axis of length ", length);
    if (before == 0 && after == 0) continue;
    const at::Tensor left = x.narrow(axis, skip, before).flip(axis);
    const at::Tensor right = x.narrow(axis, length - skip - after, after).flip(axis);
    x = at::cat({left, x, right}, axis);
  }
  return x;
}

at::Tensor tile(Call& call) {
  const at::Tensor x = call.tensor(0);
  return x.repeat(call.integers(1, x.dim()));
}

at::Tensor broadcastTo(Call& call) {
  const Integers shape = call.integers(1);
  for (const int64_t length : shape) TORCH_CHECK(length >= 0, "expected lengths of 0 or more, but got ", length);
  return call.tensor(0).expand(shape).contiguous();
}

at::Tensor reverse(Call& call) { return call.tensor(0).flip(call.integers(1)); }

/** (x, indices int32 of any shape, axis): the axis becomes one axis of indices.numel(). */
at::Tensor gather(Call& call) {
  const at::Tensor x = call.tensor(0), indices = call.tensor(1);
  const int64_t axis = call.integer(2);
  TORCH_CHECK(indices.scalar_type() == at::kInt, "expected int32 indices, but got ", indices.scalar_type());
  if (indices.numel() > 0) {
    const int64_t low = indices.min().item<int64_t>(), high = indices.max().item<int64_t>();
    TORCH_CHECK(low >= 0 && high < x.size(axis), "GatherV2: the index value ", low < 0 ? low : high, " is not in [0, ", x.size(axis) - 1, "]");
  }
  return x.index_select(axis, indices.flatten());
}

/** (indices int32, depth, on, off, dtype is float): an index outside [0, depth) gives a row of `off`. */
at::Tensor oneHot(Call& call) {
  const at::Tensor indices = call.tensor(0).to(at::kInt).unsqueeze(-1);
  const int64_t depth = call.integer(1);
  TORCH_CHECK(depth >= 0 && depth <= std::numeric_limits<int32_t>::max(), "expected a depth below 2^31, but got ", depth);
  checkMemory(static_cast<size_t>((indices.numel() + 1) * depth) * sizeof(float));
  const at::Tensor hit = indices.eq(at::arange(depth, ofType(at::kInt)));
  const auto options = ofType(call.flag(4) ? at::kFloat : at::kInt);
  return at::where(hit, at::full({}, call.number(2), options), at::full({}, call.number(3), options));
}

/** (sequences [..., n], each sorted, values [..., m], right): where each value belongs, before its equals or after them. */
at::Tensor searchSorted(Call& call) {
  const at::Tensor sequences = call.tensor(0).to(at::kDouble), values = call.tensor(1).to(at::kDouble);
  // JavaScript finds NaN smaller than nothing and greater than nothing, which ends at the front.
  return at::searchsorted(sequences, values, /*out_int32=*/true, call.flag(2)).masked_fill_(values.isnan(), 0);
}

/** (x [..., M, N], subdiagonals and superdiagonals to keep, all of them where negative): zero outside the band. */
at::Tensor bandPart(Call& call) {
  at::Tensor x = call.tensor(0);
  const int64_t lower = call.integer(1), upper = call.integer(2);
  if (lower >= 0) x = x.triu(-lower);
  if (upper >= 0) x = x.tril(upper);
  return x;
}

}  // namespace

Functions shapeFunctions() {
  return {one("transpose", transpose), one("concat", concat), one("pack", pack), many("unpack", unpack), many("split", split),
          one("slice", slice), one("stridedSlice", stridedSlice), one("pad", pad), one("mirrorPad", mirrorPad), one("tile", tile),
          one("broadcastTo", broadcastTo), one("reverse", reverse), one("gather", gather), one("oneHot", oneHot),
          one("searchSorted", searchSorted), one("bandPart", bandPart)};
}

}  // namespace secateur
