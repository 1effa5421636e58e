import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { criteriaCommand } from '../src/commands/criteria.ts';
import { inferenceCommand } from '../src/commands/inference.ts';
import { keepingCommand } from '../src/commands/keeping.ts';
import { memoryCommand } from '../src/commands/memory.ts';
import { soakCommand } from '../src/commands/soak.ts';
import { trainStepCommand } from '../src/commands/train-step.ts';
import { root } from './bench.ts';

it.each([trainStepCommand(), inferenceCommand(), memoryCommand(), soakCommand(), keepingCommand(), criteriaCommand()])(
  'the README lists the options of each command: $_name',
  async (command) => {
    const readme = await readFile(join(root, 'README.md'), 'utf8');
    const section = readme.split(/^## /m).find((text) => text.startsWith(`${command.name()}\n`))!;
    const listed = [...section.matchAll(/^\| `(--[^`]+)`/gm)].map((match) => match[1]);
    expect(listed).toEqual(command.options.map((option) => option.flags));
  },
);
