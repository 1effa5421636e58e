// A function as a trace runs it and as it runs by itself, while its inputs and the variables that it reads change.
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { type Trace, trace } from '../../src/index.ts';
import { type Family, family } from '../family.ts';
import * as draw from '../generators.ts';
import { make, type TensorSpec } from '../tensors.ts';

type Map4D = tf.Tensor4D;

/** Of a map [n, 4, 4, 2], the input itself and the variables: a filter [3, 3, 2, 2], a matrix [2, 2] and a vector [2]. */
const STEPS: Readonly<Record<string, (y: Map4D, x: Map4D, variables: readonly tf.Variable[]) => tf.Tensor>> = {
  convolve: (y, _, [filter]) => tf.conv2d(y, filter as tf.Tensor as Map4D, 1, 'same'),
  multiply: (y, _, [, matrix]) => tf.reshape(tf.matMul(tf.reshape(y, [-1, 2]), matrix!), y.shape),
  normalise: (y, _, [, , vector]) => tf.batchNorm(y, [0.5, -0.5], [1, 4], vector as tf.Tensor as tf.Tensor1D),
  bias: (y, _, [, , vector]) => tf.add(y, vector!),
  shortcut: (y, x) => tf.add(y, x),
  gate: (y, x) => tf.mul(y, tf.sigmoid(x)),
  relu: (y) => tf.relu(y),
  relu6: (y) => tf.relu6(y),
  pool: (y) => tf.maxPool(y, 3, 1, 'same'),
  transpose: (y) => tf.transpose(y, [0, 2, 1, 3]),
  centre: (y) => tf.sub(y, tf.mean(y, [1, 2], true)),
  exchange: (y) => tf.concat(tf.split(y, 2, 3).reverse(), 3),
  constant: (y) => tf.mul(y, tf.tensor1d([2, 0.5])),
};
const READS: Readonly<Record<string, number>> = { convolve: 0, multiply: 1, normalise: 2, bias: 2 };
const VARIABLES = [[3, 3, 2, 2], [2, 2], [2]];

type Action =
  | { readonly kind: 'run'; readonly x: TensorSpec }
  | { readonly kind: 'assign'; readonly variable: number; readonly value: TensorSpec }
  | { readonly kind: 'dispose' };

interface Program {
  readonly steps: readonly string[];
  readonly actions: readonly Action[];
}

/** Runs the function, and on torch by a trace, too. */
class Player {
  readonly #run: (x: tf.Tensor) => tf.Tensor;
  readonly #reads: ReadonlySet<number>;
  readonly #example: tf.Tensor;
  #trace: Trace | undefined;
  /** Why the trace must refuse to run. */
  #refusal: string | undefined;

  constructor(steps: readonly string[], example: tf.Tensor, variables: readonly tf.Variable[]) {
    this.#run = (x) => steps.reduce((y, step) => STEPS[step]!(y as Map4D, x as Map4D, variables), x);
    this.#reads = new Set(steps.flatMap((step) => READS[step] ?? []));
    this.#example = example;
    if (tf.getBackend() === 'torch') this.#trace = trace(this.#run, example);
  }

  /** What the function gives, and what its trace does. */
  run(x: tf.Tensor): tf.Tensor[] {
    const direct = this.#run(x);
    if (!this.#trace) return [direct, direct];
    if (this.#refusal) {
      requireRefusal(this.#trace, x, this.#refusal);
      this.dispose();
      this.#trace = trace(this.#run, this.#example);
      this.#refusal = undefined;
    }
    return [direct, ...this.#trace.run(x)];
  }

  assigned(variable: number): void {
    if (this.#reads.has(variable)) this.#refusal ??= 'changed or disposed since';
  }

  dispose(): void {
    this.#trace?.dispose();
    this.#refusal = 'The trace is disposed.';
  }
}

function requireRefusal(stale: Trace, x: tf.Tensor, expected: string): void {
  try {
    stale.run(x);
  } catch (error) {
    if ((error as Error).message.includes(expected)) return;
    throw error;
  }
  throw new Error(`the trace runs, though it should say: ${expected}`);
}

function play([example, ...values]: tf.Tensor[], { steps, actions }: Program): tf.Tensor[] {
  const variables = values.map((value) => tf.variable(value));
  let player: Player | undefined;
  try {
    const playing = new Player(steps, example!, variables);
    player = playing;
    return actions.flatMap((action) => {
      if (action.kind === 'run') return playing.run(make(action.x));
      if (action.kind === 'dispose') playing.dispose();
      else {
        variables[action.variable]!.assign(make(action.value));
        playing.assigned(action.variable);
      }
      return [];
    });
  } finally {
    player?.dispose();
    tf.dispose(variables);
  }
}

const unit = { fill: 'unit' } as const;

const actionOn = (shape: readonly number[]): fc.Arbitrary<Action> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('run' as const), x: draw.tensorOf(shape, unit) }) },
    {
      weight: 2,
      arbitrary: fc.nat(VARIABLES.length - 1).chain((variable) =>
        fc.record({
          kind: fc.constant('assign' as const),
          variable: fc.constant(variable),
          value: draw.tensorOf(VARIABLES[variable]!, unit),
        }),
      ),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('dispose' as const) }) },
  );

export const traces: readonly Family[] = [
  family<Program>('trace', {
    cases: fc.integer({ min: 1, max: 3 }).chain((images) => {
      const shape = [images, 4, 4, 2];
      return fc.record({
        inputs: fc.tuple(...[shape, ...VARIABLES].map((sizes) => draw.tensorOf(sizes, unit))),
        options: fc.record({
          steps: fc.array(draw.namesOf(STEPS), { minLength: 1, maxLength: 6 }),
          actions: fc
            .tuple(
              fc.array(actionOn(shape), { maxLength: 8 }),
              fc.record({ kind: fc.constant('run' as const), x: draw.tensorOf(shape, unit) }),
            )
            .map(([some, last]) => [...some, last]),
        }),
      });
    }),
    run: play,
    // Values grow from step to step, and are subtracted.
    tolerance: 1e-3,
  }),
];
