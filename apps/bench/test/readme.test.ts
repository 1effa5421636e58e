import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { COMMANDS } from '../src/commands/index.ts';
import { root } from './bench.ts';

it.each(COMMANDS.map((command) => command()))(
  'the README lists the options of each command: $_name',
  async (command) => {
    const readme = await readFile(join(root, 'README.md'), 'utf8');
    const section = readme.split(/^## /m).find((text) => text.startsWith(`${command.name()}\n`))!;
    const listed = [...section.matchAll(/^\| `(--[^`]+)`/gm)].map((match) => match[1]);
    expect(listed).toEqual(command.options.map((option) => option.flags));
  },
);
