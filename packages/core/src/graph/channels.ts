import type { Layer } from '@tensorflow/tfjs-layers/dist/engine/topology.js';

/**
 * Which channels lie along the channel axis of a tensor (the last one), or along an axis of a weight. One channel can lie
 * there several times, as behind a flatten.
 */
export type Channels = readonly number[];

/** Why a channel cannot go. Both texts read on from the name of the layer that produces it. */
export interface Obstacle {
  readonly layer: Layer;
  /** For filters of that layer itself: 'applies softmax across its channels'. */
  readonly itself: string;
  /** For filters of other layers: "feeds layer 'x' (Activation), which applies softmax across its channels". */
  readonly others: string;
}

/** Which channels there are, which of them are one, and which have to stay. */
export class ChannelIdentities {
  readonly #parents: number[] = [];
  readonly #obstacles = new Map<number, Obstacle>();

  create(count: number): Channels {
    return Array.from({ length: count }, () => this.#parents.push(this.#parents.length) - 1);
  }

  unite(a: number, b: number): void {
    this.#parents[this.classOf(b)] = this.classOf(a);
  }

  /** The same number for all channels that are one. */
  classOf(channel: number): number {
    let root = channel;
    while (this.#parents[root] !== root) root = this.#parents[root]!;
    let below = channel;
    while (below !== root) {
      const next = this.#parents[below]!;
      this.#parents[below] = root;
      below = next;
    }
    return root;
  }

  /** The first obstacle of a channel counts. */
  freeze(channels: Channels, obstacle: Obstacle): void {
    for (const channel of channels) if (!this.#obstacles.has(channel)) this.#obstacles.set(channel, obstacle);
  }

  /** Channels that have to stay by themselves, in the order in which that turned out. */
  get frozen(): Iterable<[channel: number, obstacle: Obstacle]> {
    return this.#obstacles;
  }

  obstacleOf(channel: number): Obstacle | undefined {
    return this.#obstacles.get(channel);
  }
}
