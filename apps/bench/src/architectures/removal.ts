import type { Removal } from '../network-study/recipe.ts';
import type { Architecture } from '../networks.ts';

/**
 * What may go, and by which scores. Of a transformer the hidden units of its blocks; of the others filters of convolutions, also those
 * that only go together. Classes of pixels cannot be told apart by images, so that U-Net is scored by Taylor expansion.
 */
export function removalOf(network: Architecture): Partial<Removal> {
  switch (network) {
    case 'vit':
      return { kinds: ['dense'] };
    case 'unet':
      return { criterion: 'taylor', coupled: 'together' };
    default:
      return { coupled: 'together' };
  }
}
