import { describe, expect, it } from 'vitest';
import { count, countOrZero, device, factor, list, numbersFromZero } from './arguments.ts';

describe('list', () => {
  const parse = list(['vgg16', 'resnet20']);

  it('splits at commas, in the order given, without repetitions', () => {
    expect(parse('resnet20, vgg16,resnet20')).toEqual(['resnet20', 'vgg16']);
  });

  it.each(['alexnet', '', 'vgg16,'])('refuses %j', (text) => {
    expect(() => parse(text)).toThrow(/^Expected vgg16, resnet20; got '/);
  });
});

it('reads devices', () => {
  expect(['cpu', 'cuda', 'cuda:1'].map(device)).toEqual(['cpu', 'cuda', 'cuda:1']);
  for (const text of ['gpu', 'cuda:', 'cuda:x', ' cpu']) {
    expect(() => device(text)).toThrow(`Expected cpu, cuda or cuda:<number>; got '${text}'.`);
  }
});

describe('numbers', () => {
  it('reads whole numbers from 1, or from 0 where asked', () => {
    expect(count('12')).toBe(12);
    expect(countOrZero('0')).toBe(0);
    expect(countOrZero('3')).toBe(3);
  });

  it.each(['0', '-1', '1.5', '', 'many'])('refuses %j as a count', (text) => {
    expect(() => count(text)).toThrow(`Expected a whole number of at least 1; got '${text}'.`);
  });

  it('reads lists of numbers from 0', () => {
    expect(numbersFromZero('0,0.5, 1e-3,0.0')).toEqual([0, 0.5, 1e-3]);
    expect(() => numbersFromZero('0,,1')).toThrow("Expected a positive number; got ''.");
    expect(() => numbersFromZero('-1')).toThrow("Expected a positive number; got '-1'.");
  });

  it('reads positive factors', () => {
    expect(factor('0.25')).toBe(0.25);
  });

  it.each(['0', '-1', '', 'Infinity', 'half'])('refuses %j as a factor', (text) => {
    expect(() => factor(text)).toThrow(`Expected a positive number; got '${text}'.`);
  });
});
