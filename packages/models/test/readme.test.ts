import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { expect, test } from "vitest";

test("the example in the README runs and prints what it says", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const example = /```ts\n(.*?)```/s.exec(readme)![1]!;
  const printed = [...example.matchAll(/console\.log\(.*\); \/\/ (.*)/g)].map((match) => match[1]);
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--conditions=@secateur/source", "--import", "tsx", "--input-type=module", "--eval", example],
    { cwd: new URL("..", import.meta.url) },
  );
  const lines = stdout.split("\n").filter((line) => printed.includes(line));
  expect(printed.length).toBeGreaterThan(0);
  expect(lines).toEqual(printed);
});
