/** The least ratio to PyTorch's images per second that secateur sets itself, at full width on two cores. */
export const GOALS: Readonly<Record<string, number>> = {
  'vgg16/float32/plain': 1,
  'vgg16/bfloat16/plain': 1.1,
  'vgg16/float32/full': 3,
  'vgg16/bfloat16/full': 3,
  'resnet56/float32/plain': 1,
  'resnet56/bfloat16/plain': 1.25,
  'resnet20/float32/plain': 1,
  'resnet20/bfloat16/plain': 1.35,
};

/** The least share of a step that its convolutions themselves take: the rest is what an engine adds. */
export const SHARE_GOALS = { vgg16: 0.9, resnet56: 0.8, resnet20: 0.8 } as const;

/** The same on a GPU, for batches of 256. */
export const GPU_GOALS: Readonly<Record<string, number>> = {
  'vgg16/float32/plain': 1,
  'vgg16/bfloat16/plain': 1,
};
