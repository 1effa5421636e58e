import type { Programs } from '../comparison/sides.ts';
import { keyOf, type NetworkName, type Setting } from '../train-step/setting.ts';

export const PARTS = ['training', 'scoring', 'surgery', 'end-to-end'] as const;

export type Part = (typeof PARTS)[number];

export interface PeerOptions {
  readonly models: readonly NetworkName[];
  readonly precisions: readonly Setting['precision'][];
  readonly batch: number;
  readonly steps: number;
  readonly classes: readonly number[];
  readonly images: number;
  readonly iterations: number;
  readonly share: number;
  readonly repeats: number;
}

/** One line of the table: what both sides are told beside the width and the threads. */
export interface PeerSetting extends Programs {
  /** Whether an undisturbed run keeps all of its threads busy; else one of them. */
  readonly usesAllThreads: boolean;
  readonly part: Part;
  readonly key: string;
  readonly told: object;
  /** The least ratio of times that secateur sets itself. */
  readonly goal?: number;
}

export function settingsOf(part: Part, options: PeerOptions): PeerSetting[] {
  const { models, precisions, batch, steps, classes, images, iterations, share, repeats } = options;
  return models.flatMap((model): PeerSetting | PeerSetting[] => {
    switch (part) {
      case 'training':
        return precisions.flatMap((precision) =>
          (['plain', 'full'] as const).map((objective) => ({
            part,
            key: keyOf({ model, precision, objective }),
            usesAllThreads: true,
            worker: 'train-step',
            peer: 'train_step.py',
            told: { model, precision, objective, batch, device: 'cpu', warmup: steps, steps },
            ...(objective === 'full' && { goal: 3 }),
          })),
        );
      case 'scoring':
        return classes.flatMap((count) => {
          const key = `${model}/${count} classes x ${images}`;
          const told = { model, classes: count, images, repeats };
          const common = { part, usesAllThreads: false, worker: 'score', told } as const;
          return [
            { ...common, key, peer: 'score.py', goal: 3 },
            { ...common, key: `${key}, weights frozen`, peer: 'score_frozen.py' },
          ];
        });
      case 'surgery':
        return {
          part,
          key: model,
          usesAllThreads: false,
          worker: 'cut',
          peer: 'cut.py',
          told: { model, share: 0.5, repeats },
        };
      case 'end-to-end':
        return precisions.map((precision) => ({
          part,
          key: `${model}/${precision}`,
          usesAllThreads: false,
          worker: 'end-to-end',
          peer: 'end_to_end.py',
          told: { model, precision, batch, steps, iterations, share, images },
          goal: 2,
        }));
      default:
        return part satisfies never;
    }
  });
}
