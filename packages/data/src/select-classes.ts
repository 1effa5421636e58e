import { checkLabelledImages, type LabelledImages, subset } from './labelled-images.ts';

/**
 * The images of some classes alone, with labels counted anew: what a specialist for these classes is pruned and trained on. Images and classes
 * keep their order, whatever the order in `classes` is, as the outputs of `keepClasses` of `@secateur/core` do.
 *
 * @param classes Names of the classes to keep.
 * @throws Error if a name is unknown, or labels, images and class names do not fit together.
 */
export function selectClasses(data: LabelledImages, classes: readonly string[]): LabelledImages {
  checkLabelledImages(data, 'selectClasses');
  const unknown = classes.find((name) => !data.classNames.includes(name));
  if (unknown !== undefined) {
    throw new Error(`selectClasses: '${unknown}' is none of the classes: ${data.classNames.join(', ')}.`);
  }
  const classNames = data.classNames.filter((name) => classes.includes(name));
  const newLabel = data.classNames.map((name) => classNames.indexOf(name));
  const kept = Uint32Array.from(data.labels.keys()).filter((image) => newLabel[data.labels[image]!]! >= 0);
  const { labels, ...images } = subset(data, kept);
  return { ...images, labels: labels.map((label) => newLabel[label]!), classNames };
}
