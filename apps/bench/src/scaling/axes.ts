import type { Architecture } from '../networks.ts';

export const AXES = ['width', 'depth', 'classes', 'image-size'] as const;

export type Axis = (typeof AXES)[number];

/** 'scoring': all filters of all layers on the scoring images. 'surgery': half of all filters that can go by themselves. */
export const WORKS = ['scoring', 'surgery'] as const;

export type Work = (typeof WORKS)[number];

/** What is scored, or cut. */
export interface Point {
  readonly network: Architecture;
  readonly width: number;
  readonly classes: number;
  /** Side of the images, in pixels. */
  readonly imageSize: number;
}

const DEPTHS: Readonly<Record<number, Architecture>> = {
  20: 'resnet20',
  32: 'resnet32',
  44: 'resnet44',
  56: 'resnet56',
  110: 'resnet110',
};

export const KNOWN_DEPTHS = Object.keys(DEPTHS);

/** The point of one axis at a size; all else is as at the origin, ResNet-20 (for widths VGG-16) for 10 classes of 32 x 32 pixels. */
export function pointAt(axis: Axis, size: number, width: number): Point {
  const origin: Point = { network: 'resnet20', width, classes: 10, imageSize: 32 };
  switch (axis) {
    case 'width':
      return { ...origin, network: 'vgg16', width: size };
    case 'depth':
      return { ...origin, network: DEPTHS[size]! };
    case 'classes':
      return { ...origin, classes: size };
    case 'image-size':
      return { ...origin, imageSize: size };
    default:
      return axis satisfies never;
  }
}
