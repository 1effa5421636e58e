#!/usr/bin/env node
// tfjs-backend-torch build | info
import { build } from './build.mjs';
import { info } from './info.mjs';

const USAGE = `Usage: tfjs-backend-torch <command>
  build   compile the native part against the libtorch of this machine (LIBTORCH, apt's libtorch-dev, or Python's torch)
  info    show which libtorch would be used, and what the built addon reports`;

const commands = { build, info };
const command = commands[process.argv[2]];
if (command) {
  process.exitCode = command() ? 0 : 1;
} else {
  console.error(USAGE);
  process.exitCode = 2;
}
