export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

export interface CompletedCommand {
  readonly name: string;
  readonly description: string;
  readonly options: readonly {
    /** Such as --preset. */
    readonly name: string;
    readonly description: string;
    readonly takesValue: boolean;
    /** Those that it has to be one of; empty where files or numbers are meant. */
    readonly values: readonly string[];
  }[];
}

/** A script for the shell's start file. It lists what the program knows now: print it again after an update. */
export function completionScript(shell: Shell, commands: readonly CompletedCommand[]): string {
  switch (shell) {
    case 'bash':
      return bash(commands);
    case 'zsh':
      return `autoload -Uz compinit bashcompinit && compinit && bashcompinit\n${bash(commands)}`;
    case 'fish':
      return fish(commands);
    default:
      return shell satisfies never;
  }
}

function bash(commands: readonly CompletedCommand[]): string {
  const values = commands.flatMap(({ name, options }) =>
    options
      .filter((option) => option.values.length > 0)
      .map((option) => `    '${name} ${option.name}') words='${option.values.join(' ')}' ;;`),
  );
  const options = commands.map(
    ({ name, options }) => `      ${name}) words='${options.map((option) => option.name).join(' ')}' ;;`,
  );
  return `_secateur() {
  local word=\${COMP_WORDS[COMP_CWORD]} words=''
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '${commands.map(({ name }) => name).join(' ')}' -- "$word"))
    return
  fi
  case "\${COMP_WORDS[1]} \${COMP_WORDS[COMP_CWORD-1]}" in
${values.join('\n')}
  esac
  if [ -z "$words" ] && [ "\${word#-}" != "$word" ]; then
    case "\${COMP_WORDS[1]}" in
${options.join('\n')}
    esac
  fi
  if [ -n "$words" ]; then
    COMPREPLY=($(compgen -W "$words" -- "$word"))
  else
    COMPREPLY=($(compgen -f -- "$word"))
  fi
}
complete -o filenames -F _secateur secateur`;
}

function fish(commands: readonly CompletedCommand[]): string {
  const quote = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const lines = commands.flatMap(({ name, description, options }) => [
    `complete -c secateur -f -n __fish_use_subcommand -a ${name} -d ${quote(description)}`,
    ...options.map((option) => {
      const value =
        option.values.length > 0 ? ` -x -a ${quote(option.values.join(' '))}` : option.takesValue ? ' -r' : '';
      return `complete -c secateur -n '__fish_seen_subcommand_from ${name}' -l ${option.name.slice(2)}${value} -d ${quote(option.description)}`;
    }),
  ]);
  return lines.join('\n');
}
