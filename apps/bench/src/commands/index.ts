import { ablationCommand } from './ablation.ts';
import { architecturesCommand } from './architectures.ts';
import { criteriaCommand } from './criteria.ts';
import { inferenceCommand } from './inference.ts';
import { keepingCommand } from './keeping.ts';
import { knownImportanceCommand } from './known-importance.ts';
import { memoryCommand } from './memory.ts';
import { onnxPrecisionCommand } from './onnx-precision.ts';
import { peersCommand } from './peers.ts';
import { precisionCommand } from './precision.ts';
import { robustnessCommand } from './robustness.ts';
import { scalingCommand } from './scaling.ts';
import { soakCommand } from './soak.ts';
import { taylorCommand } from './taylor.ts';
import { trainStepCommand } from './train-step.ts';

/** In the order of the help. */
export const COMMANDS = [
  trainStepCommand,
  inferenceCommand,
  memoryCommand,
  soakCommand,
  keepingCommand,
  criteriaCommand,
  precisionCommand,
  peersCommand,
  ablationCommand,
  taylorCommand,
  architecturesCommand,
  robustnessCommand,
  scalingCommand,
  onnxPrecisionCommand,
  knownImportanceCommand,
];
