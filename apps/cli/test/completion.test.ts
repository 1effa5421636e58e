import { execFileSync, spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { secateur } from './run-secateur.ts';

const script = async (shell: string) => (await secateur('completion', shell)).stdout;

/** What bash offers for the last word of a line. */
function complete(bash: string, ...words: string[]): string[] {
  const program = `${bash}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}
_secateur; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['-c', program], { encoding: 'utf8' }).trim().split('\n');
}

describe('in bash', () => {
  it.each([
    [['secateur', 'f'], ['finetune']],
    [['secateur', 'run', '--preset', 'sm'], ['smoke']],
    [['secateur', 'run', '--prese'], ['--preset']],
    [['secateur', 'score', 'x', '--preset'], ['']],
    [
      ['secateur', 'run', '--engine', ''],
      ['torch', 'tensorflow', 'cpu'],
    ],
    [['secateur', 'evaluate', '/et'], ['/etc']],
  ])('completes %j to %j', async (words, expected) => {
    expect(complete(await script('bash'), ...words)).toEqual(expected);
  });

  it('offers every command', async () => {
    const help = (await secateur('--help')).stdout;
    const commands = [...help.matchAll(/^ {2}([a-z-]+) (?:\[|<)/gm)].map(([, name]) => name!);
    const offered = complete(await script('bash'), 'secateur', '');
    expect([...offered, 'help'].sort()).toEqual([...new Set([...commands, 'help'])].sort());
  });
});

it('is valid in the other shells, where they are there', async () => {
  for (const shell of ['zsh', 'fish']) {
    const text = await script(shell);
    expect(text).toContain('secateur');
    const checked = spawnSync(shell, ['-n'], { input: text, encoding: 'utf8' });
    if (checked.error === undefined) expect(checked.stderr).toBe('');
  }
  const fish = await script('fish');
  expect(fish).toContain(
    "complete -c secateur -n '__fish_seen_subcommand_from run' -l engine -x -a 'torch tensorflow cpu' -d ",
  );
  expect(fish).toContain('complete -c secateur -f -n __fish_use_subcommand -a finetune -d ');
});

it('names an unknown shell', async () => {
  const { code, stderr } = await secateur('completion', 'bsh');
  expect(code).toBe(2);
  expect(stderr).toMatch(/^error: .*Did you mean 'bash'\? Choose from: bash, zsh, fish\.$/m);
});
