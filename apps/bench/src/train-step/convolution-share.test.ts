import { expect, it } from 'vitest';
import { convolutionShare } from './convolution-share.ts';

const line = (primitive: string, description: string, ms: number) =>
  `dnnl_verbose,exec,cpu,convolution,jit:avx512,${primitive},src_bf16::blocked:acdb:f0,,alg:convolution_direct,${description},${ms}`;

it("adds oneDNN's own times, and the kernel's where oneDNN did not compute it", () => {
  const share = convolutionShare(
    {
      steps: 2,
      milliseconds: 20,
      rows: [
        { kernel: 'Conv2D [8,32,32,3] [3,3,3,16]', ms: 9 },
        { kernel: 'Conv2DBackpropInput [8,16,16,32] [1,1,16,32]', ms: 8 },
        { kernel: 'Conv2DBackpropFilter [8,32,32,16] [8,16,16,32]', ms: 7 },
        // Not in oneDNN's list: another filter, and another direction of the same sizes.
        { kernel: 'Conv2DBackpropInput [8,16,16,32] [3,3,16,32]', ms: 4 },
        { kernel: 'Conv2D+Relu [8,4,4,2] [3,3,2,2]', ms: 2 },
        { kernel: 'Add [8,32,32,3] [8,32,32,3]', ms: 100 },
      ],
    },
    [
      line('forward_training', 'mb8_ic3oc16_ih32oh32kh3sh1dh0ph1_iw32ow32kw3sw1dw0pw1', 5),
      line('forward_training', 'mb8_ic3oc16_ih32oh32kh3sh1dh0ph1_iw32ow32kw3sw1dw0pw1', 3),
      line('backward_data', 'mb8_ic16oc32_ih32oh16kh1sh2dh0ph0_iw32ow16kw1sw2dw0pw0', 6),
      line('backward_weights', 'mb8_ic16oc32_ih32oh16kh3sh2dh0ph1_iw32ow16kw3sw2dw0pw1', 4),
      'dnnl_verbose,exec,cpu,reorder,jit:uni,undef,src_f32,,,16x16x3x3,50',
      'dnnl_verbose,create:cache_miss,cpu,convolution,jit,forward_training,,,,mb8_ic3oc16,70',
      'something else, with convolution,exec',
    ],
  );
  expect(share).toEqual({ stepMs: 20, primitivesMs: 9, ownMs: 3, share: 0.6 });
});

it("understands the newer oneDNN's lines", () => {
  const verbose =
    'onednn_verbose,v1,primitive,exec,cpu,convolution,brg_conv_fwd:avx512_core_bf16,forward_training,src:bf16::blocked:acdb::f0,,alg:convolution_direct,mb8_ic3oc16_ih32oh32kh3sh1dh0ph1_iw32ow32kw3sw1dw0pw1,5';
  const rows = [{ kernel: 'FusedConv2D [8,32,32,3] [3,3,3,16]', ms: 9 }];
  expect(convolutionShare({ steps: 1, milliseconds: 10, rows }, [verbose])).toMatchObject({
    primitivesMs: 5,
    ownMs: 0,
  });
});
