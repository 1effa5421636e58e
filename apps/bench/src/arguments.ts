import { InvalidArgumentError } from 'commander';

/** A parser for one value out of `choices`. */
export function choice<Choice extends string>(choices: readonly Choice[]): (text: string) => Choice {
  return (text) => {
    const found = choices.find((name) => name === text);
    if (found === undefined) throw new InvalidArgumentError(`Expected ${choices.join(', ')}; got '${text}'.`);
    return found;
  };
}

/** A parser for a comma-separated list of values out of `choices`, without repetitions. */
export function list<Choice extends string>(choices: readonly Choice[]): (text: string) => Choice[] {
  const parse = choice(choices);
  return (text) => [...new Set(text.split(',').map((name) => parse(name.trim())))];
}

/** A parser for a device as the torch backend names them. */
export function device(text: string): string {
  if (!/^(cpu|cuda(:\d+)?)$/.test(text)) {
    throw new InvalidArgumentError(`Expected cpu, cuda or cuda:<number>; got '${text}'.`);
  }
  return text;
}

export function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) {
    throw new InvalidArgumentError(`Expected a whole number of at least 1; got '${text}'.`);
  }
  return value;
}

/** A comma-separated list of counts, without repetitions. */
export function counts(text: string): number[] {
  return [...new Set(text.split(',').map((part) => count(part.trim())))];
}

export function countOrZero(text: string): number {
  return text === '0' ? 0 : count(text);
}

export function factor(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) {
    throw new InvalidArgumentError(`Expected a positive number; got '${text}'.`);
  }
  return value;
}

/** A part of a whole, such as 0.5. */
export function share(text: string): number {
  const value = factor(text);
  if (value > 1) throw new InvalidArgumentError(`Expected a share of at most 1; got '${text}'.`);
  return value;
}

/** A comma-separated list of shares, without repetitions. */
export function shares(text: string): number[] {
  return [...new Set(text.split(',').map((part) => share(part.trim())))];
}

/** 0 or more. */
export function numberFromZero(text: string): number {
  return text.trim() !== '' && Number(text) === 0 ? 0 : factor(text);
}

/** A comma-separated list of numbers of 0 or more, without repetitions. */
export function numbersFromZero(text: string): number[] {
  return [...new Set(text.split(',').map(numberFromZero))];
}

/** A comma-separated list of positive numbers, without repetitions. */
export function factors(text: string): number[] {
  return [...new Set(text.split(',').map(factor))];
}
