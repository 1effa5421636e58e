import { median } from '../statistics.ts';
import type { Measurement } from './measurement.ts';

export const SIDES = ['peer', 'ours'] as const;
export type Side = (typeof SIDES)[number];

/** One run of one side, with all that it measured. */
export interface Run extends Measurement {
  readonly key: string;
  /** From 0, over all rounds of the setting, those that were measured again included. */
  readonly round: number;
  readonly side: Side;
  readonly imagesPerSecond: number;
  /** The process got so little of its CPUs that something else must have used them. */
  readonly disturbed: boolean;
}

export interface Comparison {
  readonly key: string;
  /** Median over the counted rounds of ours / peer, in images per second. */
  readonly ratio: number;
  readonly ours: SideSummary;
  readonly peer: SideSummary;
  /** The rounds that the medians are taken over. */
  readonly countedRounds: readonly number[];
  /** How many of them are disturbed, because too few quiet ones came. */
  readonly disturbedRounds: number;
}

/** Medians over the counted rounds. */
export interface SideSummary {
  readonly imagesPerSecond: number;
  readonly busyCpus: number;
  readonly peakBytes: number;
  /** Of these, what the steps added to the language, the libraries, the network and the images. */
  readonly addedBytes: number;
}

export interface CompareOptions {
  readonly batch: number;
  /** That an undisturbed run keeps busy. */
  readonly threads: number;
  /** Undisturbed rounds wanted. */
  readonly rounds: number;
  /** Most rounds measured again because one of their runs was disturbed. */
  readonly retries: number;
  readonly measure: (side: Side) => Promise<Measurement>;
  readonly onRun?: (run: Run) => void;
}

/** The least share of its threads' CPUs that an undisturbed run gets. */
const QUIET_SHARE = 0.95;

/** Measures both sides of one setting by turns until there are `rounds` undisturbed rounds, or the retries are used up. */
export async function compareSides(
  key: string,
  { batch, threads, rounds, retries, measure, onRun }: CompareOptions,
): Promise<{ comparison: Comparison; runs: Run[] }> {
  const runs: Run[] = [];
  for (let round = 0, quiet = 0; quiet < rounds && round < rounds + retries; round++) {
    for (const side of SIDES) {
      const measurement = await measure(side);
      const run: Run = {
        key,
        round,
        side,
        imagesPerSecond: (1000 * batch) / median(measurement.milliseconds),
        disturbed: measurement.busyCpus < QUIET_SHARE * threads,
        ...measurement,
      };
      runs.push(run);
      onRun?.(run);
    }
    if (!runs.slice(-SIDES.length).some((run) => run.disturbed)) quiet++;
  }
  return { comparison: summarise(runs, rounds), runs };
}

interface Round {
  readonly index: number;
  readonly peer: Run;
  readonly ours: Run;
}

/**
 * Medians over `rounds` rounds of one setting: the undisturbed ones, filled up with those of the disturbed that got the
 * most CPU. A round's ratio is of runs made one after the other, so that slow changes of the machine's speed cancel out.
 */
export function summarise(runs: readonly Run[], rounds: number): Comparison {
  const counted = pairUp(runs)
    .sort((a, b) => Number(isDisturbed(a)) - Number(isDisturbed(b)) || leastBusy(b) - leastBusy(a))
    .slice(0, rounds)
    .sort((a, b) => a.index - b.index);
  const medianOf = (side: Side): SideSummary => ({
    imagesPerSecond: median(counted.map((round) => round[side].imagesPerSecond)),
    busyCpus: median(counted.map((round) => round[side].busyCpus)),
    peakBytes: median(counted.map((round) => round[side].peakBytes)),
    addedBytes: median(counted.map((round) => round[side].peakBytes - round[side].startBytes)),
  });
  return {
    key: runs[0]!.key,
    ratio: median(counted.map(({ ours, peer }) => ours.imagesPerSecond / peer.imagesPerSecond)),
    ours: medianOf('ours'),
    peer: medianOf('peer'),
    countedRounds: counted.map(({ index }) => index),
    disturbedRounds: counted.filter(isDisturbed).length,
  };
}

function pairUp(runs: readonly Run[]): Round[] {
  const peers = runs.filter((run) => run.side === 'peer');
  return peers.map((peer) => {
    const ours = runs.find((run) => run.side === 'ours' && run.round === peer.round)!;
    return { index: peer.round, peer, ours };
  });
}

function isDisturbed({ peer, ours }: Round): boolean {
  return peer.disturbed || ours.disturbed;
}

function leastBusy({ peer, ours }: Round): number {
  return Math.min(peer.busyCpus, ours.busyCpus);
}
