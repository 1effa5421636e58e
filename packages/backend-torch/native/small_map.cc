#include "small_map.h"

#include "gemm.h"

namespace secateur {

namespace {

at::Tensor product(const at::Tensor& a, const at::Tensor& b) { return a.scalar_type() == at::kFloat ? sharedProduct(a, b) : at::mm(a, b); }

/** [outH, outW, out, inH, inW, in]: the filter's tap between every output and every input position. */
at::Tensor denseMatrix(const at::Tensor& filter, const SmallMap& map) {
  const at::Tensor taps = filter.permute({0, 1, 3, 2});  // [filterH, filterW, out, in]
  const at::Tensor matrix = at::empty({map.outH, map.outW, taps.size(2), map.inH, map.inW, taps.size(3)}, filter.options());
  for (int64_t y = 0; y < map.outH; ++y) {
    for (int64_t x = 0; x < map.outW; ++x) {
      // Input position p meets the tap p - position + padding.
      const at::Tensor seen = taps.narrow(0, map.top - y, map.inH).narrow(1, map.left - x, map.inW);
      matrix.select(0, y).select(0, x).copy_(seen.permute({2, 0, 1, 3}));
    }
  }
  return matrix;
}

struct Range {
  int64_t begin, end;

  int64_t size() const { return std::max<int64_t>(0, end - begin); }
};

/** The output positions along one axis at which a tap meets the input; the input position is `shift` further on. */
Range meeting(int64_t shift, int64_t in, int64_t out) { return {std::max<int64_t>(0, -shift), std::min(out, in - shift)}; }

/** Neighbours in one row of a map. */
struct Block {
  int64_t row, column, columns;

  /** [h, w, images, channels] -> [columns * images, channels] */
  at::Tensor of(const at::Tensor& map) const { return map[row].narrow(0, column, columns).view({-1, map.size(3)}); }
};

/** Calls `use(tapY, tapX, in, out)` for each tap and each row in which it meets the input. */
template <typename Use>
void forEachMeeting(const SmallMap& map, Use use) {
  for (int64_t tapY = 0; tapY < map.filterH; ++tapY) {
    const int64_t shiftY = tapY - map.top;
    const Range rows = meeting(shiftY, map.inH, map.outH);
    for (int64_t tapX = 0; tapX < map.filterW; ++tapX) {
      const int64_t shiftX = tapX - map.left;
      const Range columns = meeting(shiftX, map.inW, map.outW);
      if (columns.size() == 0) continue;
      for (int64_t row = rows.begin; row < rows.end; ++row) {
        use(tapY, tapX, Block{row + shiftY, columns.begin + shiftX, columns.size()}, Block{row, columns.begin, columns.size()});
      }
    }
  }
}

}  // namespace

bool SmallMap::isDense() const { return outH * outW <= 16 && top >= outH - 1 && left >= outW - 1 && inH + top <= filterH && inW + left <= filterW; }

at::Tensor denseMapForward(const at::Tensor& x, const at::Tensor& filter, const SmallMap& map) {
  const int64_t images = x.size(0), out = filter.size(3);
  const at::Tensor matrix = denseMatrix(filter, map).view({map.outH * map.outW * out, -1});
  return product(x.contiguous().view({images, -1}), matrix.t()).view({images, map.outH, map.outW, out});
}

at::Tensor denseMapInputGradient(const at::Tensor& dy, const at::Tensor& filter, const SmallMap& map) {
  const int64_t images = dy.size(0), in = filter.size(2), out = filter.size(3);
  const at::Tensor matrix = denseMatrix(filter, map).view({map.outH * map.outW * out, -1});
  return product(dy.contiguous().view({images, -1}), matrix).view({images, map.inH, map.inW, in});
}

/** Positions first: then the columns that a tap meets in a row are one block of [positions * images, channels]. */
at::Tensor byPosition(const at::Tensor& nhwc) { return nhwc.permute({1, 2, 0, 3}).contiguous(); }
at::Tensor byImage(const at::Tensor& hwnc) { return hwnc.permute({2, 0, 1, 3}).contiguous(); }

at::Tensor forwardByTap(const at::Tensor& x, const at::Tensor& filter, const SmallMap& map) {
  const at::Tensor from = byPosition(x);
  const at::Tensor y = at::zeros({map.outH, map.outW, x.size(0), filter.size(3)}, x.options());
  forEachMeeting(map, [&](int64_t tapY, int64_t tapX, const Block& in, const Block& out) { addSharedProduct(out.of(y), in.of(from), filter[tapY][tapX]); });
  return byImage(y);
}

at::Tensor inputGradientByTap(const at::Tensor& dy, const at::Tensor& filter, const SmallMap& map) {
  const at::Tensor from = byPosition(dy);
  const at::Tensor dx = at::zeros({map.inH, map.inW, dy.size(0), filter.size(2)}, dy.options());
  forEachMeeting(map, [&](int64_t tapY, int64_t tapX, const Block& in, const Block& out) { addSharedProduct(in.of(dx), out.of(from), filter[tapY][tapX].t()); });
  return byImage(dx);
}

at::Tensor filterGradientByTap(const at::Tensor& x, const at::Tensor& dy, const SmallMap& map) {
  const int64_t in = x.size(3), out = dy.size(3);
  // Positions first: then the rows and columns that a tap meets are blocks of [positions * images, channels].
  const at::Tensor xByPosition = x.permute({1, 2, 0, 3}), dyByPosition = dy.permute({1, 2, 0, 3});
  const at::Tensor gradient = at::zeros({out, map.filterH, map.filterW, in}, at::kFloat);
  for (int64_t tapX = 0; tapX < map.filterW; ++tapX) {
    const int64_t shiftX = tapX - map.left;
    const Range columns = meeting(shiftX, map.inW, map.outW);
    if (columns.size() == 0) continue;
    const at::Tensor xColumns = xByPosition.narrow(1, columns.begin + shiftX, columns.size()).contiguous();
    const at::Tensor dyColumns = dyByPosition.narrow(1, columns.begin, columns.size()).contiguous();
    for (int64_t tapY = 0; tapY < map.filterH; ++tapY) {
      const int64_t shiftY = tapY - map.top;
      const Range rows = meeting(shiftY, map.inH, map.outH);
      if (rows.size() == 0) continue;
      const at::Tensor xMet = xColumns.narrow(0, rows.begin + shiftY, rows.size()).view({-1, in});
      const at::Tensor dyMet = dyColumns.narrow(0, rows.begin, rows.size()).view({-1, out});
      gradient.select(1, tapY).select(1, tapX).copy_(product(dyMet.t(), xMet));
    }
  }
  return gradient.permute({1, 2, 3, 0});
}

}  // namespace secateur
