// Kernels that plain tfjs has not: several passes over large tensors folded into one. They have no tfjs gradient; a
// trainer calls them through tf.engine().runKernel where tf.getKernel(name, 'torch') finds them.
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { fusedKernel } from '../kernel.ts';
import { computesInBfloat16 } from '../precision.ts';

interface BatchNormTrainingInputs {
  readonly x: TensorInfo;
  readonly scale: TensorInfo;
  readonly offset: TensorInfo;
  readonly movingMean: TensorInfo;
  readonly movingVariance: TensorInfo;
  readonly residual?: TensorInfo;
}

interface BatchNormTrainingAttrs {
  readonly epsilon: number;
  readonly momentum: number;
  readonly activation: 'linear' | 'relu' | 'relu6';
  readonly unbiasedVariance: boolean;
}

/** y = activation(batchNorm(x) + residual), with the batch's statistics and the new moving ones. */
const batchNormTraining = fusedKernel<BatchNormTrainingInputs, BatchNormTrainingAttrs>(
  'BatchNormTraining',
  {
    x: 'float32',
    scale: 'float32',
    offset: 'float32',
    movingMean: 'float32',
    movingVariance: 'float32',
    residual: 'float32',
  },
  ({ inputs, attrs, backend }) => {
    const { x, scale } = inputs;
    const [y, ...statistics] = backend.native.batchNormTraining(
      backend.handle(x),
      backend.handle(scale),
      backend.handle(inputs.offset),
      backend.handle(inputs.movingMean),
      backend.handle(inputs.movingVariance),
      backend.optionalHandle(inputs.residual),
      attrs.epsilon,
      attrs.momentum,
      attrs.activation,
      attrs.unbiasedVariance,
    );
    return [backend.make(y, x.shape), ...statistics.map((vector) => backend.make(vector, scale.shape))];
  },
);

interface BatchNormTrainingGradInputs {
  readonly dy: TensorInfo;
  readonly x: TensorInfo;
  readonly y: TensorInfo;
  readonly scale: TensorInfo;
  readonly mean: TensorInfo;
  readonly inverseStd: TensorInfo;
}

/** [dx, dScale, dOffset], and the gradient of the residual where there was one. */
const batchNormTrainingGrad = fusedKernel<
  BatchNormTrainingGradInputs,
  { readonly activation: 'linear' | 'relu' | 'relu6'; readonly residual: boolean }
>(
  'BatchNormTrainingGrad',
  { dy: 'float32', x: 'float32', y: 'float32', scale: 'float32', mean: 'float32', inverseStd: 'float32' },
  ({ inputs: { dy, x, y, scale, mean, inverseStd }, attrs, backend }) => {
    const [dx, dScale, dOffset, dResidual] = backend.native.batchNormTrainingGrad(
      backend.handle(dy),
      backend.handle(x),
      backend.handle(y),
      backend.handle(scale),
      backend.handle(mean),
      backend.handle(inverseStd),
      attrs.activation,
      attrs.residual,
    );
    const outputs = [backend.make(dx, x.shape), backend.make(dScale, scale.shape), backend.make(dOffset, scale.shape)];
    return dResidual === undefined ? outputs : [...outputs, backend.make(dResidual, x.shape)];
  },
);

interface BatchNormInferenceInputs {
  readonly x: TensorInfo;
  readonly mean: TensorInfo;
  readonly variance: TensorInfo;
  readonly offset: TensorInfo;
  readonly scale: TensorInfo;
  readonly residual?: TensorInfo;
}

interface BatchNormInferenceAttrs {
  readonly epsilon: number;
  readonly activation: 'linear' | 'relu' | 'relu6';
}

/** y = activation(batchNorm(x) + residual), with the statistics given, and with an activation where it lets gradients through. */
const batchNormInference = fusedKernel<BatchNormInferenceInputs, BatchNormInferenceAttrs>(
  'BatchNormInference',
  {
    x: 'float32',
    mean: 'float32',
    variance: 'float32',
    offset: 'float32',
    scale: 'float32',
    residual: 'float32',
  },
  ({ inputs: { x, mean, variance, offset, scale, residual }, attrs: { epsilon, activation }, backend }) => {
    const [y, open] = backend.native.batchNormInference(
      backend.handle(x),
      backend.handle(mean),
      backend.handle(variance),
      backend.handle(offset),
      backend.handle(scale),
      backend.optionalHandle(residual),
      epsilon,
      activation,
    );
    return [backend.make(y, x.shape), ...(open === undefined ? [] : [backend.make(open, x.shape, 'bool')])];
  },
);

interface BatchNormInferenceGradInputs {
  readonly dy: TensorInfo;
  readonly open?: TensorInfo;
  readonly variance: TensorInfo;
  readonly scale: TensorInfo;
}

/** [dx], and the gradient of the residual where there was one. */
const batchNormInferenceGrad = fusedKernel<
  BatchNormInferenceGradInputs,
  { readonly epsilon: number; readonly residual: boolean }
>(
  'BatchNormInferenceGrad',
  { dy: 'float32', open: 'bool', variance: 'float32', scale: 'float32' },
  ({ inputs: { dy, open, variance, scale }, attrs: { epsilon, residual }, backend }) =>
    backend.native
      .batchNormInferenceGrad(
        backend.handle(dy),
        backend.optionalHandle(open),
        backend.handle(variance),
        backend.handle(scale),
        epsilon,
        residual,
      )
      .map((gradient) => backend.make(gradient!, dy.shape)),
);

/** Loss of each image, and its gradient with respect to the logits: softmax - oneHot. */
const softmaxCrossEntropy = fusedKernel<{ logits: TensorInfo; labels: TensorInfo }, unknown>(
  'SoftmaxCrossEntropy',
  { logits: 'float32', labels: 'int32' },
  ({ inputs: { logits, labels }, backend }) => {
    const [loss, gradient] = backend.native.softmaxCrossEntropy(backend.handle(logits), backend.handle(labels));
    return [backend.make(loss, labels.shape), backend.make(gradient, logits.shape)];
  },
);

interface SgdInputs {
  readonly weight: TensorInfo;
  readonly velocity: TensorInfo;
  readonly gradient: TensorInfo;
  readonly penaltyGradient?: TensorInfo;
}

interface SgdAttrs {
  readonly learningRate: number;
  readonly momentum: number;
  readonly weightDecay: number;
  readonly l1: number;
  readonly penalty: number;
}

/**
 * [weight, velocity, sum of |weight| before the update]. Memory that nobody else refers to is updated in place, and the
 * same data is returned with one more reference.
 */
const sgdMomentumUpdate = fusedKernel<SgdInputs, SgdAttrs>(
  'SgdMomentumUpdate',
  { weight: 'float32', velocity: 'float32', gradient: 'float32', penaltyGradient: 'float32' },
  ({ inputs, attrs, backend }) => {
    const { weight, velocity } = inputs;
    const isOwned = (info: TensorInfo) =>
      backend.isOwned(info) && Object.values(inputs).filter((other) => other?.dataId === info.dataId).length === 1;
    const [newWeight, newVelocity, norm] = backend.native.sgdMomentumUpdate(
      backend.handle(weight),
      backend.handle(velocity),
      backend.handle(inputs.gradient),
      backend.optionalHandle(inputs.penaltyGradient),
      attrs.learningRate,
      attrs.momentum,
      attrs.weightDecay,
      attrs.l1,
      attrs.penalty,
      isOwned(weight),
      isOwned(velocity),
    );
    const output = (handle: number | null, info: TensorInfo): TensorInfo => {
      if (handle !== null) return backend.make(handle, info.shape);
      backend.changedInPlace(info);
      return backend.share(info);
    };
    return [output(newWeight, weight), output(newVelocity, velocity), backend.make(norm, [])];
  },
);

interface TaylorInputs {
  readonly activation: TensorInfo;
  readonly gradient: TensorInfo;
  readonly labels: TensorInfo;
}

const TAYLOR_DTYPES = { activation: 'float32', gradient: 'float32', labels: 'int32' } as const;

/** int32 [classes, ...rest]: how many images of a class have |activation * gradient| above the threshold. */
const taylorCount = fusedKernel<TaylorInputs, { readonly threshold: number; readonly classes: number }>(
  'TaylorCount',
  TAYLOR_DTYPES,
  ({ inputs: { activation, gradient, labels }, attrs: { threshold, classes }, backend }) =>
    backend.make(
      backend.native.taylorCount(
        backend.handle(activation),
        backend.handle(gradient),
        backend.handle(labels),
        threshold,
        classes,
      ),
      [classes, ...activation.shape.slice(1)],
      'int32',
    ),
);

/** float32 [classes, channels]: |activation * gradient| summed over a class's images and all positions. */
const taylorSum = fusedKernel<TaylorInputs, { readonly classes: number }>(
  'TaylorSum',
  TAYLOR_DTYPES,
  ({ inputs: { activation, gradient, labels }, attrs: { classes }, backend }) =>
    backend.make(
      backend.native.taylorSum(backend.handle(activation), backend.handle(gradient), backend.handle(labels), classes),
      [classes, activation.shape.at(-1) ?? 1],
    ),
);

/** Convolutional orthogonality of a 3x3 kernel (HWIO) and its gradient; its matrix products follow the precision. */
const convOrthogonality = fusedKernel<{ kernel: TensorInfo }, unknown>(
  'ConvOrthogonality',
  { kernel: 'float32' },
  ({ inputs: { kernel }, backend }) => {
    const [norm, gradient] = backend.native.convOrthogonality(backend.handle(kernel), computesInBfloat16());
    return [backend.make(norm, []), backend.make(gradient, kernel.shape)];
  },
);

export const fusedKernels = [
  batchNormTraining,
  batchNormTrainingGrad,
  batchNormInference,
  batchNormInferenceGrad,
  softmaxCrossEntropy,
  sgdMomentumUpdate,
  taylorCount,
  taylorSum,
  convOrthogonality,
];
