// tfjs-core's specs expect jasmine's functions to be global when they are imported.
import { boot } from 'jasmine-core';

const jasmine = boot();
// tfjs-core asks for this long; machines are shared.
jasmine.DEFAULT_TIMEOUT_INTERVAL = 20_000;

export const runner = jasmine.getEnv();
// Some specs share their names.
runner.configure({ random: false, forbidDuplicateNames: false });
