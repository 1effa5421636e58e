import '@secateur/core';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers';
import { expect, it } from 'vitest';
import { ruleOf } from '../../../core/src/graph/layer-rules.ts';
import { activations } from './activation.ts';
import { converters } from './table.ts';

const registered = tf.serialization.SerializationMap.getMap().classNameMap;

it('writes every layer class that channels can be followed through', () => {
  const followed = Object.keys(registered).filter((className) => className !== 'InputLayer' && ruleOf(className));
  expect(followed.length).toBeGreaterThan(45);
  expect(followed.filter((className) => !converters.has(className))).toEqual([]);
});

it('writes every activation of tfjs-layers', () => {
  const isActivation = (name: string) => /^[a-z]/.test(name) && 'apply' in registered[name]![0].prototype;
  const names = Object.keys(registered).filter(isActivation);
  expect(names).toHaveLength(16);
  expect(Object.keys(activations).toSorted()).toEqual(names.toSorted());
});
