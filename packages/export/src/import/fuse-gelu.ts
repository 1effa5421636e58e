import { Attributes } from './attributes.ts';
import type { Constant } from './constant.ts';
import type { SourceGraph, SourceNode } from './source-graph.ts';

/**
 * Exporters write GELU, x * (1 + erf(x / sqrt(2))) / 2, operator by operator up to operator set 19. Each such group becomes one
 * node Gelu, because tfjs-layers has that as an activation, but no erf.
 *
 * @param constantOf The one number that a value holds, if it is a constant of one number.
 */
export function fuseGelu(
  nodes: readonly SourceNode[],
  { readers }: Pick<SourceGraph, 'readers'>,
  constantOf: ConstantOf,
) {
  const producers = new Map(nodes.map((node) => [node.outputs[0] ?? '', node]));
  const consumers = new Map(nodes.flatMap((node) => node.inputs.map((name) => [name, node] as const)));
  const nextOf = ({ outputs }: SourceNode) =>
    readers.get(outputs[0] ?? '') === 1 ? consumers.get(outputs[0]!) : undefined;
  const gone = new Set<SourceNode>();
  const fused = new Map<SourceNode, SourceNode>();
  for (const erf of nodes) {
    if (erf.opType !== 'Erf') continue;
    const scaled = producers.get(erf.inputs[0] ?? '');
    const x = scaled && (scaledBy(scaled, Math.SQRT1_2, constantOf) ?? dividedBy(scaled, Math.SQRT2, constantOf));
    const plusOne = nextOf(erf);
    if (x === undefined || !plusOne || offsetBy(plusOne, 1, constantOf) !== erf.outputs[0]) continue;
    const product = nextOf(plusOne);
    const other = product && otherOperand(product, plusOne.outputs[0]!);
    if (!product || other === undefined) continue;
    const halved = producers.get(other);
    const halving = nextOf(product);
    if (halved && scaledBy(halved, 0.5, constantOf) === x) {
      fused.set(product, geluOf(x, product));
      for (const node of [erf, plusOne]) gone.add(node);
    } else if (other === x && halving && scaledBy(halving, 0.5, constantOf) === product.outputs[0]) {
      fused.set(halving, geluOf(x, halving));
      for (const node of [erf, plusOne, product]) gone.add(node);
    }
  }
  return withoutUnread(
    nodes.filter((node) => !gone.has(node)).map((node) => fused.get(node) ?? node),
    nodes,
  );
}

type ConstantOf = (name: string) => number | undefined;

function geluOf(x: string, { name, outputs }: SourceNode): SourceNode {
  return { name, opType: 'Gelu', inputs: [x], outputs, attributes: new Attributes([]) };
}

/** Constants are float32. */
function isNear(value: number | undefined, wanted: number): boolean {
  return value !== undefined && Math.abs(value - wanted) < 1e-6;
}

/** The value that this node multiplies by the factor. */
function scaledBy({ opType, inputs }: SourceNode, factor: number, constantOf: ConstantOf): string | undefined {
  if (opType !== 'Mul') return undefined;
  return inputs.find((_, i) => isNear(constantOf(inputs[1 - i]!), factor));
}

function dividedBy({ opType, inputs }: SourceNode, divisor: number, constantOf: ConstantOf): string | undefined {
  return opType === 'Div' && isNear(constantOf(inputs[1]!), divisor) ? inputs[0] : undefined;
}

function offsetBy({ opType, inputs }: SourceNode, summand: number, constantOf: ConstantOf): string | undefined {
  return opType === 'Add' ? inputs.find((_, i) => isNear(constantOf(inputs[1 - i]!), summand)) : undefined;
}

function otherOperand({ opType, inputs }: SourceNode, operand: string): string | undefined {
  return opType === 'Mul' ? inputs.find((name) => name !== operand) : undefined;
}

/** Without the scalings whose readers are gone. */
function withoutUnread(left: SourceNode[], before: readonly SourceNode[]): SourceNode[] {
  const readBefore = new Set(before.flatMap(({ inputs }) => inputs));
  const read = new Set(left.flatMap(({ inputs }) => inputs));
  return left.filter(({ outputs }) => !(readBefore.has(outputs[0] ?? '') && !read.has(outputs[0] ?? '')));
}

/** Looks constants of one number up, among initialisers and nodes alike. */
export function scalarsOf(
  { nodes, constant }: Pick<SourceGraph, 'nodes' | 'constant'>,
  readTensor: (tensor: NonNullable<ReturnType<Attributes['tensor']>>) => Constant,
): ConstantOf {
  const producers = new Map(nodes.map((node) => [node.outputs[0] ?? '', node]));
  return (name) => {
    const producer = producers.get(name);
    const tensor = producer?.opType === 'Constant' ? producer.attributes.tensor('value') : undefined;
    const found = tensor ? readTensor(tensor) : constant(name);
    return found?.data.length === 1 ? found.data[0] : undefined;
  };
}
