/** What the main thread tells the worker. */
export type ToWorker =
  /** Prepare an epoch from its batch number `firstBatch` on; what was going on before is dropped. */
  | { readonly kind: 'start'; readonly run: number; readonly epoch: number; readonly firstBatch: number }
  /** Prepare no more until the next start. */
  | { readonly kind: 'stop' }
  /** A slot comes back to be filled again. */
  | { readonly kind: 'recycle'; readonly slot: Slot };

/** Room for one batch. It belongs to one thread at a time: sending it away leaves empty arrays behind. */
export interface Slot {
  readonly images: Float32Array<ArrayBuffer>;
  readonly labels: Int32Array<ArrayBuffer>;
}

/** What the worker tells the main thread: a slot has been filled. */
export interface FilledSlot {
  /** The start message that it answers. */
  readonly run: number;
  /** Images in the slot: fewer than there is room for at the end of an epoch. */
  readonly count: number;
  readonly slot: Slot;
}

export function buffersOf({ images, labels }: Slot): ArrayBuffer[] {
  return [images.buffer, labels.buffer];
}
