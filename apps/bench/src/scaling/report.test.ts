import { expect, it } from 'vitest';
import { buildReport, isWorseThanLinear, type MeasuredPoint, presentReport } from './report.ts';

const point = (size: number, more: Partial<MeasuredPoint>): MeasuredPoint => ({
  axis: 'classes',
  work: 'scoring',
  size,
  images: 10 * size,
  filters: 100,
  parameters: 1000,
  macs: 5000,
  milliseconds: [1],
  extraBytes: 1e6,
  ...more,
});

it('fits exponents to the medians, and says which are worse than linear', () => {
  const measured = [10, 100, 1000].map((size) =>
    point(size, { milliseconds: [9e9, size ** 1.5, 0], extraBytes: size ** 0.5 }),
  );
  const report = buildReport(measured);
  const [growth] = report.growths;
  expect(growth!.time).toBeCloseTo(1.5, 12);
  expect(growth!.timeByFilters).toBeCloseTo(1.5, 12);
  expect(growth!.memory).toBeCloseTo(0.5, 12);
  expect(presentReport(report).text).toMatch(/1\.50 +1\.00 +1\.50 +worse than linear/);
});

it('expects of wider networks, whose filters cost more each, to be linear in multiply-accumulates', () => {
  const wider = (power: number) =>
    [8, 16, 32].map((size) =>
      point(size, { axis: 'width', images: 100, filters: size, macs: size ** 2, milliseconds: [size ** power] }),
    );
  const [growth] = buildReport(wider(1.9)).growths;
  expect(growth).toMatchObject({
    timeByFilters: expect.closeTo(1.9, 12),
    workByFilters: expect.closeTo(2, 12),
    timeByWork: expect.closeTo(0.95, 12),
  });
  expect(isWorseThanLinear(growth!)).toBe(false);
  expect(isWorseThanLinear(buildReport(wider(2.3)).growths[0]!)).toBe(true);
});

it('fits nothing where nothing changes', () => {
  const measured = [32, 64].map((size) =>
    point(size, { axis: 'image-size', images: 100, macs: size ** 2, milliseconds: [size ** 2], extraBytes: 0 }),
  );
  const [growth] = buildReport(measured).growths;
  expect(growth).toEqual({
    axis: 'image-size',
    work: 'scoring',
    time: expect.closeTo(2, 12),
    timeByWork: expect.closeTo(1, 12),
  });
  expect(() => buildReport([point(10, {})])).toThrow('two sizes');
});
