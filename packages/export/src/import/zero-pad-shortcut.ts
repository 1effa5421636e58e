import * as tf from '@tensorflow/tfjs-core';
import type { Layer } from './plan.ts';

type ShortcutConfig = Readonly<{ name: string; strides: number; padChannels: readonly [number, number] }>;

const CLASS_NAME = 'ZeroPadShortcut';

/** The layer class is another package's; tfjs knows it by its name once that package is loaded. */
const registered = () => tf.serialization.SerializationMap.getMap().classNameMap[CLASS_NAME];

/** @throws Error that names the places that need the layer class when no loaded package has registered it. */
export function expectZeroPadShortcut(places: readonly string[]): void {
  if (places.length === 0 || registered()) return;
  throw new Error(
    `Expected the layer class '${CLASS_NAME}', which puts zero channels around an image, to be registered in TensorFlow.js; ${places.join(', ')} cannot do without. Install '@secateur/core' and import it first; it registers the class.`,
  );
}

export function zeroPadShortcut({ name, strides, padChannels }: ShortcutConfig): Layer {
  const [shortcut, fromConfig] = registered()!;
  return fromConfig(shortcut, { name, strides, padChannels: [...padChannels] }) as Layer;
}
