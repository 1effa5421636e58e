const LONGEST = 120;

/** Text from a file, fit to be printed: no control characters, and not endless. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not reach a terminal
  const clean = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, '?');
  return clean.length > LONGEST ? `${clean.slice(0, LONGEST)}...` : clean;
}

export function quote(name: string): string {
  return `'${printable(name)}'`;
}
