import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { factor } from '../arguments.ts';
import { measureInWorker } from '../child.ts';
import { replaceFile } from '../replace-file.ts';
import { describeEnvironment, type Environment, type Piece } from './piece.ts';
import { ResultsFolder } from './results-folder.ts';

export interface StudyOptions {
  readonly out: string;
  readonly minutes?: number;
  readonly json: boolean;
}

/** Adds the options that all studies have. */
export function addStudyOptions(command: Command): Command {
  return command
    .option('--minutes <count>', 'start no measurement after so many; the same command goes on later', factor)
    .option(
      '--out <dir>',
      'folder of the results; what is there already is not measured again',
      `runs/${command.name()}`,
    )
    .option('--json', 'print JSON instead of a table', false);
}

/** The time given is up before all was measured. */
export class StudyPaused extends Error {
  override readonly name = 'StudyPaused';
}

/** A report as it is read: the table, and pictures by file name. */
export interface Presentation {
  readonly text: string;
  readonly plots: Readonly<Record<string, string>>;
}

/** Measurements in pieces, each by a worker in a process of its own, and each kept in a folder as soon as it is done. */
export class Study {
  readonly #folder: ResultsFolder;
  readonly #options: StudyOptions;
  readonly #setup: object;
  readonly #environments = new Map<string, Environment>();
  readonly #started = performance.now();

  private constructor(folder: ResultsFolder, { options, setup }: { options: StudyOptions; setup: object }) {
    this.#folder = folder;
    this.#options = options;
    this.#setup = setup;
  }

  /**
   * @param setup What all pieces have in common, and what no piece's name tells apart: numbers and strings.
   * @throws Error when the folder holds results of another setup.
   */
  static async open(setup: object, options: StudyOptions): Promise<Study> {
    return new Study(await ResultsFolder.open(resolve(options.out), setup), { options, setup });
  }

  /** Where workers leave what is no JSON, such as networks. */
  folderOf(name: string): string {
    return join(this.#folder.path, name);
  }

  /** Says what the study costs at most, before it begins: epochs of training, over all networks. */
  announce(epochs: number): void {
    console.error(`In all at most ${epochs} epochs of training, less what is in the folder already.`);
  }

  /**
   * Measured by a file of workers/ if it is not in the folder yet.
   *
   * @throws StudyPaused when it is not, and the time is up.
   */
  async measure<Result>(name: string, worker: string, task: object): Promise<Result> {
    return this.keep(name, () => measureInWorker<Piece<Result>>(worker, [JSON.stringify(task)])).then(
      ({ environment, result }) => {
        this.#environments.set(describeEnvironment(environment), environment);
        return result;
      },
    );
  }

  /** The same for what is no Piece. */
  async keep<Record>(name: string, measure: () => Promise<Record>): Promise<Record> {
    return this.#folder.record(name, async () => {
      this.#checkTime(name);
      console.error(`${name} ...`);
      const started = performance.now();
      const record = await measure();
      console.error(`  ${((performance.now() - started) / 1000).toFixed(0)} s`);
      return record;
    });
  }

  /** Writes report.json, report.txt and the plots, and prints what was asked for. */
  async publish<Report extends object>(measured: Report, present: (report: Report) => Presentation): Promise<void> {
    const { text, plots } = present(measured);
    const environments = [...this.#environments.values()];
    const report = { ...measured, setup: this.#setup, environments };
    const page = [text, ...this.#environments.keys()].join('\n\n');
    await replaceFile(this.folderOf('report.json'), `${JSON.stringify(report, null, 2)}\n`);
    await replaceFile(this.folderOf('report.txt'), `${page}\n`);
    for (const [name, picture] of Object.entries(plots)) await replaceFile(this.folderOf(`${name}.svg`), picture);
    console.log(this.#options.json ? JSON.stringify(report) : page);
  }

  #checkTime(name: string): void {
    const { minutes = Number.POSITIVE_INFINITY } = this.#options;
    if (performance.now() - this.#started < 60_000 * minutes) return;
    throw new StudyPaused(`${minutes} minute(s) are over before '${name}'. The same command goes on from there.`);
  }
}
