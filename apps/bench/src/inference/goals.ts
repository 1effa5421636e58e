import { NETWORKS, PRECISIONS } from '../train-step/setting.ts';
import { CALLS, keyOf } from './setting.ts';

/** The least ratio to PyTorch's images per second that secateur sets itself, by images in a batch. */
const GOAL_BY_BATCH = { 128: 1.1, 1: 1.5 };

/** By 'model/precision/batch/call'. */
export const GOALS: Readonly<Record<string, number>> = Object.fromEntries(
  NETWORKS.flatMap((model) =>
    PRECISIONS.flatMap((precision) =>
      Object.entries(GOAL_BY_BATCH).flatMap(([batch, goal]) =>
        CALLS.map((call) => [keyOf({ model, precision, batch: Number(batch), call }), goal]),
      ),
    ),
  ),
);
