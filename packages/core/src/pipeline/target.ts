import type { LayersModel } from '@tensorflow/tfjs-layers';
import { checkChoice, checkShare } from '../check-option.ts';
import type { NetworkCost } from '../cost/count-cost.ts';

/** How small the network is to become: the loop ends once it is, and removes no more filters than that takes. */
export type Target = (CountedQuantity | MeasuredQuantity) & TargetAmount;

export type TargetKind = Target['kind'];

interface CountedQuantity {
  /** Multiply-accumulates, or trainable parameters. */
  readonly kind: 'macs' | 'params';
}

interface MeasuredQuantity {
  readonly kind: 'latency';
  /**
   * Times of networks in their order, in whatever unit; it should run them in turn, so that what else the machine does meets all alike.
   * Called with the unpruned network, and a few times for each removal with what is left and the unpruned one.
   */
  readonly measure: (models: readonly LayersModel[]) => Promise<readonly number[]>;
}

/** The share of the unpruned network's to be gone, in [0, 1], or what may be left. */
export type TargetAmount = { readonly removed: number } | { readonly atMost: number };

export interface TargetState {
  readonly kind: TargetKind;
  /** What the network has of it. A time is that of the unpruned network, as first measured, times the ratio of both in one measurement. */
  readonly value: number;
  /** What it may have. */
  readonly goal: number;
}

/** What is measured of a candidate, against the goal that follows from the unpruned network. */
export interface TargetGauge {
  readonly unpruned: TargetState;
  measure(network: SizedNetwork): Promise<TargetState>;
}

export interface SizedNetwork {
  readonly model: LayersModel;
  readonly cost: NetworkCost;
}

/**
 * @param known What was found before of the unpruned network, which is then not measured again.
 * @throws Error when the amount is out of range, or a measured value is not a positive number.
 */
export async function createGauge(target: Target, unpruned: SizedNetwork, known?: TargetState): Promise<TargetGauge> {
  const { kind } = target;
  checkChoice("The target's kind", kind, ['macs', 'params', 'latency']);
  checkAmount(target);
  const value = known?.value ?? (await measureIn(unpruned));
  const goal = 'atMost' in target ? target.atMost : (1 - target.removed) * value;
  return {
    unpruned: { kind, value, goal },
    measure: async (network) => ({ kind, value: await measureIn(network), goal }),
  };

  async function measureIn({ model, cost }: SizedNetwork): Promise<number> {
    if (target.kind !== 'latency') return target.kind === 'macs' ? cost.macs : cost.parameters;
    if (model === unpruned.model) return (await timesOf([model]))[0]!;
    const [own, whole] = (await timesOf([model, unpruned.model])) as [number, number];
    return value * (own / whole);
  }

  async function timesOf(models: readonly LayersModel[]): Promise<readonly number[]> {
    const times = await (target as MeasuredQuantity).measure(models);
    if (times.length === models.length && times.every((time) => Number.isFinite(time) && time > 0)) return times;
    throw new Error(
      `Expected the target's measure to give a positive number for each of ${models.length} models, but it gave ${times.join(', ') || 'none'}.`,
    );
  }
}

export function isReached({ value, goal }: TargetState): boolean {
  return value <= goal;
}

function checkAmount(target: Target): void {
  if ('atMost' in target) {
    if (target.atMost > 0) return;
    throw new Error(`A target's 'atMost' must be greater than 0, but is ${target.atMost}.`);
  }
  checkShare("A target's 'removed'", target.removed);
}
