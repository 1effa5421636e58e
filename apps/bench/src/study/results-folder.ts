import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from '../replace-file.ts';

/** Results in a folder, each in a file of its own: what is there need not be measured again. */
export class ResultsFolder {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** @throws Error when the folder holds results of another setup. */
  static async open<Setup extends object>(path: string, setup: Setup): Promise<ResultsFolder> {
    const folder = new ResultsFolder(path);
    const former = await folder.record('setup', async () => setup);
    const names = new Set([...Object.keys(former), ...Object.keys(setup)]) as Set<keyof Setup>;
    for (const name of names) {
      if (former[name] === setup[name]) continue;
      throw new Error(
        `'${path}' holds results for ${String(name)} = ${former[name] ?? 'all'}, but now it is ${setup[name] ?? 'all'}. Choose another --out, or the same options.`,
      );
    }
    return folder;
  }

  /** The JSON in the file of that name; measured and written when there is none. */
  async record<Record>(name: string, measure: () => Promise<Record>): Promise<Record> {
    const file = join(this.path, `${name}.json`);
    try {
      return JSON.parse(await readFile(file, 'utf8')) as Record;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw new Error(`'${file}' cannot be read: ${error}.`);
    }
    const record = await measure();
    await replaceFile(file, `${JSON.stringify(record, null, 2)}\n`);
    return record;
  }
}
