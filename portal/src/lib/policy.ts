// A site's anonymisation policy in the questionnaire: rules, their measures, and what is lost, in words.
import type { components } from '../generated/api';

export type Proposal = components['schemas']['Proposal'];
export type Questionnaire = components['schemas']['Questionnaire'];
export type PolicyField = Proposal['fields'][number];
export type Conflict = Proposal['conflicts'][number];
export type Loss = PolicyField['answers'][number]['losses'][number];
export type Rule = string | ({ method: string } & Record<string, unknown>);

/** The members of a rule beside its method, and how they are asked for. */
export const MEASURES: Record<string, { name: string; label: string; number?: { least: number; most: number } }[]> = {
  truncate: [
    { name: 'ipv4', label: 'IPv4 bits', number: { least: 0, most: 32 } },
    { name: 'ipv6', label: 'IPv6 bits', number: { least: 0, most: 128 } },
  ],
  first: [{ name: 'bytes', label: 'Bytes', number: { least: 1, most: 256 } }],
  round: [{ name: 'to', label: 'To, such as 1s or 10m' }],
  shift: [{ name: 'most', label: 'By at most, such as 30d' }],
};

export function methodOf(rule: Rule): string {
  return typeof rule === 'string' ? rule : rule.method;
}

/** "truncate to /24 and /48", "first 64 bytes", "keep". */
export function ruleText(rule: Rule): string {
  if (typeof rule === 'string') return rule;
  const value = (name: string) => String(rule[name]);
  if (rule.method === 'truncate') return `truncate to /${value('ipv4')} and /${value('ipv6')}`;
  if (rule.method === 'first') return `first ${value('bytes')} bytes`;
  if (rule.method === 'round') return `round to ${value('to')}`;
  if (rule.method === 'shift') return `shift by at most ${value('most')}`;
  return rule.method;
}

/** "surge, growth do not work; alerts in part": each name once, by the worst that happens to it. */
export function lossText(losses: Loss[]): string {
  const vital = new Set(losses.filter((l) => l.vital).map((l) => l.who ?? ''));
  const part = new Set(losses.map((l) => l.who ?? '').filter((who) => !vital.has(who)));
  const said: string[] = [];
  if (vital.size > 0) said.push(`${[...vital].join(', ')} ${vital.size === 1 ? 'does' : 'do'} not work`);
  if (part.size > 0) said.push(`${[...part].join(', ')} in part`);
  return said.join('; ');
}

/** Sentences, each once, with who says it: "graph, surge: ports are not told apart". */
export function lossSentences(losses: Loss[]): string[] {
  const by = new Map<string, string[]>();
  for (const loss of losses) by.set(loss.without, [...(by.get(loss.without) ?? []), loss.who ?? '']);
  return [...by].map(([without, who]) => `${[...new Set(who)].join(', ')}: ${without}`);
}

/** What tells one conflict from another while answers change. */
export function conflictKey(c: Conflict): string {
  return `${c.field}/${c.who}/${c.needs}`;
}
