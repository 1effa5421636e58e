import type { onnx as Onnx } from 'onnx-proto';
import { decodeModel } from '../graph/decode.ts';
import { onnx } from '../graph/proto.ts';
import { contentsOf } from './contents.ts';
import { NodeAttributes } from './node-attributes.ts';
import type { AttributeRule, Inferred, Operator } from './operator.ts';
import { operators } from './operators/table.ts';
import {
  byteLengthOf,
  describe,
  elementType,
  mayBeEqual,
  sizesOf,
  typeOfPort,
  unknown,
  type ValueType,
} from './value-type.ts';

const OLDEST_OPSET = 7;
const NEWEST_OPSET = 26;

export interface OnnxInspection {
  /** What is wrong, one sentence each; empty for a valid file. */
  readonly problems: readonly string[];
  /** Type and shape of every value, by its name. */
  readonly values: ReadonlyMap<string, ValueType>;
}

/**
 * Checks an ONNX file without running it: names are unique and resolve, nodes stand in the order in which they compute,
 * operators and their attributes are those of the file's opset (7 to 26), constants are as long as their shapes say, and
 * the types and shapes that follow from the inputs agree with the operators' rules and with what the file states.
 *
 * @returns type and shape of every value, by its name.
 * @throws Error that lists everything that is wrong, or says that the bytes are not an ONNX model.
 */
export function checkOnnx(bytes: Uint8Array): ReadonlyMap<string, ValueType> {
  return checkModel(decodeModel(bytes));
}

/** The same for a decoded file. */
export function checkModel(model: Onnx.IModelProto): ReadonlyMap<string, ValueType> {
  const { problems, values } = inspectModel(model);
  if (problems.length === 0) return values;
  throw new Error(
    [`The ONNX graph '${model.graph?.name ?? ''}' is not valid:`, ...problems.map((each) => `  - ${each}`)].join('\n'),
  );
}

/** Finds what is wrong with a file and what its values are, as far as that can be known. */
export function inspectModel(model: Onnx.IModelProto): OnnxInspection {
  const inspector = new Inspector(model);
  inspector.run();
  return inspector;
}

/** The version of ONNX's own operators; 0 when the file does not say. */
export function opsetOf({ opsetImport }: Onnx.IModelProto): number {
  return Number(String(opsetImport?.find(({ domain }) => !domain || domain === 'ai.onnx')?.version ?? 0));
}

class Inspector implements OnnxInspection {
  readonly problems: string[] = [];
  readonly values = new Map<string, Inferred>();
  readonly #graph: Onnx.IGraphProto;
  readonly #opset: number;
  /** By the value that it writes. */
  readonly #producers: ReadonlyMap<string, Onnx.INodeProto>;

  constructor({ graph, opsetImport = [] }: Onnx.IModelProto) {
    this.#graph = graph ?? {};
    this.#opset = opsetOf({ opsetImport });
    this.#producers = new Map(this.#graph.node?.flatMap((node) => (node.output ?? []).map((name) => [name, node])));
  }

  run(): void {
    if (this.#opset < OLDEST_OPSET || this.#opset > NEWEST_OPSET) {
      this.problems.push(
        `opset ${this.#opset} is not among ${OLDEST_OPSET} to ${NEWEST_OPSET}, which this check knows`,
      );
    }
    this.#readConstants();
    this.#readInputs();
    const nodeNames = new Set<string>();
    for (const node of this.#graph.node ?? []) {
      if (node.name && nodeNames.has(node.name)) this.problems.push(`two nodes are called '${node.name}'`);
      nodeNames.add(node.name ?? '');
      this.#visit(node);
    }
    this.#checkStated();
  }

  #define(name: string, value: Inferred): void {
    if (this.values.has(name)) this.problems.push(`the value '${name}' is defined twice`);
    this.values.set(name, value);
  }

  #readConstants(): void {
    for (const tensor of this.#graph.initializer ?? []) {
      const [name, type, dims] = [tensor.name ?? '', elementType(tensor.dataType), sizesOf(tensor)];
      if (!type) this.problems.push(`the constant '${name}' has the unknown data type ${tensor.dataType}`);
      const expected = byteLengthOf(tensor);
      const isInline = tensor.dataLocation !== onnx.TensorProto.DataLocation.EXTERNAL;
      const bytes = isInline ? (tensor.rawData?.length ?? 0) : 0;
      const fits = bytes === 0 || expected === undefined || bytes === expected;
      if (!fits) {
        this.problems.push(
          `the constant '${name}' ${describe({ type, dims })} takes ${expected} bytes, but has ${bytes}`,
        );
      }
      this.#define(name, { type, dims, contents: fits ? contentsOf(tensor) : undefined });
    }
  }

  #readInputs(): void {
    for (const port of this.#graph.input ?? []) {
      // Files of IR 3 and older list their weights among the inputs.
      if (!this.#graph.initializer?.some(({ name }) => name === port.name)) {
        this.#define(port.name ?? '', typeOfPort(port));
      }
    }
  }

  #visit(node: Onnx.INodeProto): void {
    const what = `node '${node.name || node.output?.[0]}' (${node.opType})`;
    const complain = (problem: string) => this.problems.push(`${what} ${problem}`);
    const read = (node.input ?? []).map((name) => this.#read(name, complain));
    const written = node.output ?? [];
    let results: readonly Inferred[] = [];
    const operator = node.domain && node.domain !== 'ai.onnx' ? undefined : operators.get(node.opType ?? '');
    if (!operator || this.#opset < (operator.since ?? 0)) {
      const domain = node.domain ? ` of domain '${node.domain}'` : '';
      complain(operator ? `came with opset ${operator.since}` : `is no operator${domain} that this check knows`);
    } else if (this.#hasForm(node, operator, complain)) {
      try {
        const attributes = new NodeAttributes(node);
        results = [operator.infer({ inputs: read, outputs: written.length, attributes, opset: this.#opset })].flat();
      } catch (error) {
        complain((error as Error).message);
      }
    }
    for (const [i, name] of written.entries()) if (name !== '') this.#define(name, results[i] ?? unknown);
  }

  #read(name: string, complain: (problem: string) => void): Inferred | undefined {
    if (name === '') return undefined;
    const value = this.values.get(name);
    if (value) return value;
    const producer = this.#producers.get(name);
    complain(
      producer ? `reads '${name}', which '${producer.name}' writes later` : `reads '${name}', which nothing defines`,
    );
    return unknown;
  }

  #hasForm(node: Onnx.INodeProto, operator: Operator, complain: (problem: string) => void): boolean {
    const before = this.problems.length;
    const { inputs, outputs = 1, attributes = {} } = operator;
    const [least, most] = typeof inputs === 'function' ? inputs(this.#opset) : inputs;
    const given = node.input ?? [];
    if (given.length < least || given.length > most || given.slice(0, least).includes('')) {
      const range = least === most ? `${least}` : `${least} to ${most}`;
      complain(`has ${given.filter(Boolean).length} inputs; the operator takes ${range}`);
    }
    const written = node.output?.length ?? 0;
    if (written < 1 || written > outputs) complain(`has ${written} outputs; the operator gives at most ${outputs}`);

    const present = new NodeAttributes(node);
    for (const name of present.names) {
      const entry = attributes[name];
      const rule = typeof entry === 'string' ? { kind: entry } : entry;
      if (!rule || !this.#has(rule)) {
        complain(`has the attribute '${name}', which the operator does not have in opset ${this.#opset}`);
      } else if (present.kindOf(name) !== rule.kind) {
        complain(`has ${present.kindOf(name) ?? 'something else'} for the attribute '${name}'; it takes ${rule.kind}`);
      }
    }
    for (const [name, rule] of Object.entries(attributes)) {
      if (typeof rule !== 'string' && rule.required && this.#has(rule) && !present.has(name))
        complain(`lacks the attribute '${name}'`);
    }
    return this.problems.length === before;
  }

  #has({ since = 0, until = this.#opset }: AttributeRule): boolean {
    return this.#opset >= since && this.#opset <= until;
  }

  /** What the file says about its outputs and other values must agree with what follows from the inputs. */
  #checkStated(): void {
    const { output = [], valueInfo = [] } = this.#graph;
    if (!output?.length) this.problems.push('the graph has no output');
    for (const [role, ports] of [['output', output ?? []] as const, ['value', valueInfo ?? []] as const]) {
      for (const port of ports) {
        const found = this.values.get(port.name ?? '');
        if (!found) this.problems.push(`the ${role} '${port.name}' is defined by nothing`);
        else if (!agree(found, typeOfPort(port))) {
          this.problems.push(
            `the ${role} '${port.name}' is stated to be ${describe(typeOfPort(port))}, but is ${describe(found)}`,
          );
        }
      }
    }
  }
}

/** Whether two statements about a value may both be true. */
export function agree(a: ValueType, b: ValueType): boolean {
  if (a.type !== undefined && b.type !== undefined && a.type !== b.type) return false;
  if (!a.dims || !b.dims) return true;
  return a.dims.length === b.dims.length && a.dims.every((dim, axis) => mayBeEqual(dim, b.dims![axis]));
}
