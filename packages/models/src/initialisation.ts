import { initializers } from '@tensorflow/tfjs-layers';

type Initializer = ReturnType<typeof initializers.zeros>;

/** How many values meet in a kernel. */
export interface Fans {
  /** Values that one output value sums. */
  readonly in: number;
  /** Taps of one kernel times the number of filters. */
  readonly out: number;
}

/** What the random weights of a network start from. */
export interface Initialisation {
  convolution(fans: Fans, seed: number): Initializer;
  dense(seed: number): Initializer;
}

const normal = (stddev: number, seed: number) => initializers.randomNormal({ mean: 0, stddev, seed });

/**
 * Convolutions normal(0, sqrt(2 / fan out)), dense layers normal(0, 0.01): as in the code of class-aware pruning's authors
 * (arXiv 2312.05875) and torchvision's MobileNetV2; the convolutions also as in DenseNet's (He et al. 2015).
 */
export const HE_FAN_OUT: Initialisation = {
  convolution: (fans, seed) => normal(Math.sqrt(2 / fans.out), seed),
  dense: (seed) => normal(0.01, seed),
};

/** Convolutions normal(0, sqrt(2 / fan in)), as in U-Net (Ronneberger et al. 2015, section 3). */
export const HE_FAN_IN: Initialisation = {
  convolution: (fans, seed) => normal(Math.sqrt(2 / fans.in), seed),
  dense: (seed) => normal(0.01, seed),
};

/** All kernels truncated normal(0, 0.02), as in BERT and the vision transformers after it (DeiT, timm). */
export const TRUNCATED_NORMAL: Initialisation = {
  convolution: (_, seed) => initializers.truncatedNormal({ stddev: 0.02, seed }),
  dense: (seed) => initializers.truncatedNormal({ stddev: 0.02, seed }),
};
