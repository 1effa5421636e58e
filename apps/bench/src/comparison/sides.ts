import { fileURLToPath } from 'node:url';
import { measureInChild, measureInWorker } from '../child.ts';
import { findPythonWithTorch } from '../python.ts';
import type { Side } from './compare.ts';
import { type Measurement, toArguments } from './measurement.ts';

/** A file of workers/, and the one of peers/ that takes the same arguments. */
export interface Programs {
  readonly worker: string;
  readonly peer: string;
}

/** @returns What runs one side of the programs with the given arguments. @throws Error when there is no PyTorch. */
export async function prepareSides({
  threads,
  python: wanted,
}: {
  readonly threads: number;
  readonly python?: string;
}): Promise<(programs: Programs, told: object) => (side: Side) => Promise<Measurement>> {
  const python = await findPythonWithTorch(wanted);
  // BLAS keeps a pool of its own that torch's setting does not reach; both sides get the same size.
  const environment = { OMP_NUM_THREADS: String(threads), PYTHONDONTWRITEBYTECODE: '1' };
  return ({ worker, peer }, told) => {
    const args = toArguments({ ...told, threads });
    const peerFile = fileURLToPath(new URL(`../../peers/${peer}`, import.meta.url));
    return (side) =>
      side === 'ours'
        ? measureInWorker<Measurement>(worker, args, { environment })
        : measureInChild<Measurement>(python, [peerFile, ...args], environment);
  };
}
