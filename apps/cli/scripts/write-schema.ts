import { writeFileSync } from 'node:fs';
import { configFileSchema } from '../src/run/config-schema.ts';

writeFileSync(
  new URL('../secateur.config.schema.json', import.meta.url),
  `${JSON.stringify(configFileSchema(), null, 2)}\n`,
);
