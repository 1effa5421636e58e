import { z } from 'zod';
import { PRESET_NAMES } from './presets.ts';
import { runConfigFields } from './run-config.ts';

type Schema = z.core.JSONSchema.BaseSchema;

/** JSON Schema of secateur.config.json for editors: every key may be left out, no other may be there. */
export function configFileSchema(): Schema {
  const schema = withoutRequired(z.toJSONSchema(runConfigFields, { target: 'draft-7' }));
  return {
    ...schema,
    title: 'Configuration of secateur',
    properties: {
      $schema: { type: 'string' },
      preset: {
        type: 'string',
        enum: [...PRESET_NAMES],
        default: 'quickstart',
        description: 'What holds for all that is not said here.',
      },
      data: {
        type: 'string',
        description: 'Folder of the binary files of CIFAR-10 or CIFAR-100, or folder:PATH for one of images.',
      },
      ...schema.properties,
    },
  };
}

/** What a file leaves out is as in the preset; alternatives may then fit more than one kind. */
function withoutRequired<T>(part: T): T {
  if (Array.isArray(part)) return part.map(withoutRequired) as T;
  if (typeof part !== 'object' || part === null) return part;
  const kept = Object.entries(part).filter(([key]) => key !== 'required');
  return Object.fromEntries(kept.map(([key, value]) => [key === 'oneOf' ? 'anyOf' : key, withoutRequired(value)])) as T;
}
