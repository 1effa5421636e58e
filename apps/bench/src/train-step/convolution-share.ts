// How much of a training step is the arithmetic of its convolutions: what no engine around the same convolutions could be faster than.

/** A profile's row with its inputs' shapes, and how many steps it covers. */
export interface ProfiledSteps {
  readonly steps: number;
  /** Of a step: the median. */
  readonly milliseconds: number;
  readonly rows: readonly { readonly kernel: string; readonly ms: number }[];
}

export interface ConvolutionShare {
  /** Of a step: the median. */
  readonly stepMs: number;
  /** oneDNN's convolutions by its own clock, without reordering filters; mean of a step. */
  readonly primitivesMs: number;
  /** Convolutions that the addon computes itself, whole kernels; mean of a step. */
  readonly ownMs: number;
  /** (primitivesMs + ownMs) / stepMs */
  readonly share: number;
}

/** Sizes of a convolution that its profile row tells, and oneDNN's description too, in one order. */
interface Direction {
  readonly kernels: readonly string[];
  readonly primitives: readonly string[];
  /** As oneDNN names them. */
  readonly sizes: readonly string[];
  readonly ofShapes: (first: readonly number[], second: readonly number[]) => readonly (number | undefined)[];
}

const DIRECTIONS: readonly Direction[] = [
  {
    kernels: ['Conv2D', 'FusedConv2D'],
    primitives: ['forward_training', 'forward_inference'],
    sizes: ['mb', 'ic', 'oc', 'ih', 'iw', 'kh', 'kw'],
    ofShapes: ([images, height, width, channels], [kh, kw, , out]) => [images, channels, out, height, width, kh, kw],
  },
  {
    kernels: ['Conv2DBackpropInput'],
    primitives: ['backward_data'],
    sizes: ['mb', 'ic', 'oc', 'oh', 'ow', 'kh', 'kw'],
    ofShapes: ([images, height, width, out], [kh, kw, channels]) => [images, channels, out, height, width, kh, kw],
  },
  {
    kernels: ['Conv2DBackpropFilter'],
    primitives: ['backward_weights'],
    sizes: ['mb', 'ic', 'oc', 'ih', 'iw', 'oh', 'ow'],
    ofShapes: ([images, ih, iw, channels], [, oh, ow, out]) => [images, channels, out, ih, iw, oh, ow],
  },
];

/**
 * @param profiled Steps that ran while oneDNN was verbose.
 * @param verbose What oneDNN wrote during these steps, one primitive a line.
 */
export function convolutionShare(
  { steps, milliseconds, rows }: ProfiledSteps,
  verbose: readonly string[],
): ConvolutionShare {
  const primitives = new Map<string, number>();
  for (const line of verbose) {
    const found = readPrimitive(line);
    if (found) primitives.set(found.key, (primitives.get(found.key) ?? 0) + found.ms);
  }
  const primitivesMs = [...primitives.values()].reduce((sum, ms) => sum + ms, 0) / steps;
  const own = rows.filter(({ kernel }) => {
    const key = keyOfRow(kernel);
    return key !== undefined && !primitives.has(key);
  });
  const ownMs = own.reduce((sum, { ms }) => sum + ms, 0) / steps;
  return { stepMs: milliseconds, primitivesMs, ownMs, share: (primitivesMs + ownMs) / milliseconds };
}

/** `dnnl_verbose,exec,cpu,convolution,implementation,backward_data,formats,,algorithm,mb128_ic16oc16_ih32oh32kh3...,1.25` */
function readPrimitive(line: string): { readonly key: string; readonly ms: number } | undefined {
  const fields = line.split(',');
  const kind = fields.indexOf('convolution');
  if (!fields[0]?.endsWith('_verbose') || !fields.includes('exec') || kind < 0) return undefined;
  const direction = DIRECTIONS.find(({ primitives }) => primitives.includes(fields[kind + 2]!));
  const description = fields.at(-2)!;
  if (!direction) return undefined;
  const sizes = direction.sizes.map((name) => new RegExp(`(?<![a-z])${name}(\\d+)`).exec(description)?.[1]);
  return { key: [direction.primitives[0], ...sizes].join(), ms: Number(fields.at(-1)) };
}

/** `Conv2D+FusedBatchNorm [128,32,32,16] [3,3,16,16]`; undefined for what is no convolution. */
function keyOfRow(label: string): string | undefined {
  const [names = '', ...shapes] = label.split(' ');
  const direction = DIRECTIONS.find(({ kernels }) => kernels.includes(names.split('+')[0]!));
  if (!direction) return undefined;
  const [first = [], second = []] = shapes.map((shape) => JSON.parse(shape) as number[]);
  return [direction.primitives[0], ...direction.ofShapes(first, second)].join();
}
