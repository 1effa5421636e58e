import { expect, it } from 'vitest';
import { didYouMean, editDistance } from './did-you-mean.ts';

it('counts insertions, deletions and replacements', () => {
  expect(editDistance('kitten', 'sitting')).toBe(3);
  expect(editDistance('', 'abc')).toBe(3);
});

it('suggests the closest word, and nothing far away', () => {
  const networks = ['vgg16', 'vgg19', 'resnet20', 'resnet56'];
  expect(didYouMean('resne56', networks)).toBe(" Did you mean 'resnet56'?");
  expect(didYouMean('VGG16', networks)).toBe(" Did you mean 'vgg16'?");
  expect(didYouMean('mobilenet', networks)).toBe('');
});
