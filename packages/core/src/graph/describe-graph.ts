import type { ChannelGraph, ChannelGroup, FrozenLayer, GroupMember } from './channel-graph.ts';

/** The groups of a graph, and the layers that keep their filters, as text for people. */
export function describeGraph({ groups, frozen }: ChannelGraph): string {
  const units = groups.reduce((sum, group) => sum + group.units.length, 0);
  const can =
    units === 0
      ? 'No filters can be removed.'
      : `${count(units, 'unit')} in ${count(groups.length, 'group')} can be removed:`;
  const stay = `${count(frozen.length, 'layer')} ${frozen.length === 1 ? 'keeps' : 'keep'} filters:`;
  return [
    can,
    ...groups.flatMap(describeGroup),
    ...(frozen.length === 0 ? [] : [stay]),
    ...frozen.map(describeFrozen),
  ].join('\n');
}

const ROLES: readonly GroupMember['role'][] = ['produces', 'passes', 'joins', 'consumes'];

function describeGroup({ name, units, members }: ChannelGroup): string[] {
  const filters = units[0]!.filters.length;
  const together = filters === 1 ? '' : `, each of ${filters} filters that go together`;
  return [
    `  ${name}: ${count(units.length, 'unit')}${together}`,
    ...ROLES.flatMap((role) => {
      const layers = members.filter((member) => member.role === role).map(({ layer }) => layer);
      return layers.length === 0 ? [] : [`    ${role.padEnd(8)}  ${layers.join(', ')}`];
    }),
  ];
}

function describeFrozen({ layer, reason, filters }: FrozenLayer): string {
  return filters ? `  ${layer}, filters ${filters.join(', ')}: ${reason}` : `  ${layer}: ${reason}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
