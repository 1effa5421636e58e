import { versions } from '@secateur/tfjs-backend-torch';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type Measurement, peakBytes } from './measurement.ts';

/** Wall and CPU time of the measured work, as peers/measurement.py takes it. */
export class Clock {
  readonly #milliseconds: number[] = [];
  readonly #start = { wall: performance.now(), cpu: process.cpuUsage() };

  async time<Result>(work: () => Promise<Result>): Promise<Result> {
    const started = performance.now();
    const result = await work();
    this.#milliseconds.push(performance.now() - started);
    return result;
  }

  /**
   * @param model What the work was done with, or made.
   * @param startBytes `peakBytes()` before the first work, also before that which is not measured.
   */
  measurement(model: LayersModel, startBytes: number): Measurement {
    const { user, system } = process.cpuUsage(this.#start.cpu);
    return {
      engine: `secateur on libtorch ${versions().libtorch}`,
      parameters: model.trainableWeights.reduce((total, { shape }) => total + shape.reduce((a, b) => a! * b!, 1)!, 0),
      milliseconds: this.#milliseconds,
      busyCpus: (user + system) / (1000 * (performance.now() - this.#start.wall)),
      startBytes,
      peakBytes: peakBytes(),
    };
  }
}
