import type { ProducerKind, SelectionStrategy } from '@secateur/core';
import type { Architecture } from '../networks.ts';

/** What network, on which images, by which objective. */
export interface Recipe {
  readonly network: Architecture;
  readonly width: number;
  /** Of weights, splits, order and augmentation. */
  readonly seed: number;
  /** Factors of the objective's terms. */
  readonly l1: number;
  readonly orthogonality: number;
  /** Take only so many training and test images of each class; absent: all. */
  readonly perClass?: number;
  readonly testPerClass?: number;
  /** Share of the training images that is held out; absent: as in the quickstart. */
  readonly validation?: number;
  /** Folder of the official binary CIFAR-10; absent: downloaded once. */
  readonly data?: string;
}

/** How one removal chooses. */
export interface Removal {
  readonly criterion: string;
  readonly strategy: SelectionStrategy;
  /** Below which share of the classes a filter is a candidate, unless the strategy is 'percentage'. */
  readonly threshold: number;
  readonly maxFraction: number;
  readonly minFilters: number;
  readonly maxLayerFraction: number;
  readonly kinds: readonly ProducerKind[];
  readonly coupled: 'together' | 'stay';
  /** 'global', the default: filters of all layers compete; 'layer': those of one. */
  readonly scope?: 'global' | 'layer';
  /** 'usual', the default: class-aware scores as they are, others by their layer's mean. */
  readonly normalise?: 'usual' | 'layer-mean' | 'none';
  /** Where to stop. */
  readonly atMostMacs?: number;
}

/** What a worker is asked for; networks are folders. */
export type NetworkTask = {
  readonly recipe: Recipe;
  /** Epochs that the network has seen before. Default 0. */
  readonly firstEpoch?: number;
} & (
  | { readonly kind: 'train'; readonly to: string; readonly epochs: number }
  | {
      readonly kind: 'tune';
      readonly from: string;
      readonly to: string;
      readonly epochs: number;
      /** By the schedule that follows the last removal, the default, or any other. */
      readonly like?: 'final' | 'fine';
    }
  | {
      readonly kind: 'remove';
      readonly from: string;
      readonly to: string;
      readonly epochs: number;
      readonly removal: Removal;
    }
  | { readonly kind: 'score'; readonly from: string; readonly criterion: string }
);

export interface Accuracy {
  readonly validation: number;
  readonly test: number;
  /** Test accuracy of the class that is recognised least. */
  readonly worstClass: number;
}

export interface Size {
  readonly macs: number;
  readonly parameters: number;
  /** Of each convolution, in order. */
  readonly filters: readonly number[];
}

/** A network on disk. */
export interface NetworkRecord extends Accuracy, Size {
  /** Epochs of this piece. */
  readonly epochs: number;
  /** Filters that this piece removed. */
  readonly removed: number;
}

export interface ScoresRecord {
  readonly classes: number;
  /** Score of every filter in classes, layer by layer. */
  readonly scores: readonly number[];
}
