import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Layer } from '@tensorflow/tfjs-layers/dist/engine/topology.js';
import type { ChannelGraph } from '../graph/channel-graph.ts';
import { ruleOf } from '../graph/layer-rules.ts';
import { isContainer } from '../graph/nodes.ts';
import { type KeptPositions, keptChannels } from './kept-channels.ts';
import type { PruningPlan } from './pruning-plan.ts';

/** The part of a model's JSON that surgery touches; functional, sequential and nested models share it. */
interface ModelJson {
  readonly config: { readonly layers: readonly LayerJson[] };
}

interface LayerJson {
  readonly config: { readonly name: string };
}

/** The model's JSON with the sizes that the plan leaves. */
export function resizeLayers(model: LayersModel, graph: ChannelGraph, plan: PruningPlan): ModelJson {
  const kept = keptChannels(graph, plan);
  return resizeContainer(model.toJSON(null, false) as unknown as ModelJson, model, kept);
}

function resizeContainer<Json extends ModelJson>(
  json: Json,
  container: Pick<LayersModel, 'layers' | 'inputs'>,
  kept: ReadonlyMap<Layer, KeptPositions>,
): Json {
  const byName = new Map(container.layers.map((layer: Layer) => [layer.name, layer]));
  const layers = json.config.layers.map((entry, index): LayerJson => {
    const layer = byName.get(entry.config.name)!;
    if (isContainer(layer)) return resizeContainer(entry as LayerJson & ModelJson, layer, kept);
    // A sequential model has no input layer of its own in its config; the first layer says the shape.
    const hidden = index === 0 ? container.inputs.map(({ sourceLayer }) => sourceLayer) : [];
    const changes = [layer, ...hidden.filter(({ name }) => !byName.has(name))].map((changed) => resized(changed, kept));
    return { ...entry, config: Object.assign({}, entry.config, ...changes) };
  });
  return { ...json, config: { ...json.config, layers } };
}

/** Fields of the layer's config that change, as they are called in JSON. */
function resized(layer: Layer, kept: ReadonlyMap<Layer, KeptPositions>): Readonly<Record<string, unknown>> {
  const positions = kept.get(layer);
  const resize = ruleOf(layer.getClassName())?.resize;
  if (!positions || !resize) return {};
  const sizes = Object.fromEntries([...positions].map(([axis, { length }]) => [axis, length]));
  return Object.fromEntries(Object.entries(resize(sizes, layer)).map(([field, value]) => [snakeCase(field), value]));
}

function snakeCase(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
