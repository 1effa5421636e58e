import { checkLabelledImages, type LabelledImages, valuesPerImage } from './labelled-images.ts';

/** Mean and standard deviation of each channel, of pixel values scaled to 0..1. */
export interface ChannelStatistics {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** The values in the code of the authors of class-aware pruning, so that their numbers can be compared. */
export const CIFAR10_STATISTICS: ChannelStatistics = {
  mean: [0.49154913, 0.4821251, 0.44642678],
  std: [0.24703223, 0.24348513, 0.26158784],
};

/** Of the 50,000 training images. */
export const CIFAR100_STATISTICS: ChannelStatistics = {
  mean: [0.50707516, 0.48654887, 0.44091784],
  std: [0.26733429, 0.25643846, 0.27615047],
};

/**
 * Mean and (population) standard deviation of each channel of pixel / 255, exact to double precision.
 *
 * @throws Error if there are no images, or labels, images and class names do not fit together.
 */
export function channelStatistics(data: LabelledImages): ChannelStatistics {
  if (data.labels.length === 0) throw new Error('channelStatistics: there are no images to take statistics of.');
  checkLabelledImages(data, 'channelStatistics');
  const channels = data.shape[2];
  const histograms = new Float64Array(channels * 256);
  for (let start = 0; start < data.images.length; start += channels) {
    for (let channel = 0; channel < channels; channel++) {
      histograms[channel * 256 + data.images[start + channel]!]! += 1;
    }
  }
  const pixels = (data.labels.length * valuesPerImage(data)) / channels;
  const average = (channel: number, term: (value: number) => number) =>
    histograms
      .subarray(channel * 256, (channel + 1) * 256)
      .reduce((sum, count, value) => sum + count * term(value), 0) / pixels;
  const mean = Array.from({ length: channels }, (_, channel) => average(channel, (value) => value / 255));
  const std = mean.map((centre, channel) => Math.sqrt(average(channel, (value) => (value / 255 - centre) ** 2)));
  return { mean, std };
}
