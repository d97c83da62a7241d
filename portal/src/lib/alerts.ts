// What the portal says about alerts beyond what they say themselves.
import type { Alert, AlertState, AlertSummary, Evidence, Severity, SiteLive, Suppression } from '../api/client';
import { countryName } from './countries';
import { plural } from './format';
import { portText, serviceName } from './ports';
import type { EvidenceSeries } from './series';

export const SEVERITY_RANK: Record<Severity, number> = { critical: 3, warning: 2, notice: 1, info: 0 };

export const STATES: { key: AlertState; name: string; text: string }[] = [
  { key: 'new', name: 'New', text: 'Nobody has looked at it' },
  { key: 'seen', name: 'Seen', text: 'Somebody is on it' },
  { key: 'right', name: 'Right', text: 'It was as the alert said' },
  { key: 'known', name: 'Known', text: 'Explained and harmless' },
  { key: 'wrong', name: 'Wrong', text: 'A false alarm' },
];

/** Kinds of alerts, in words: docs/formats/alert.md. The engines that give them, and others, may come to be more. */
export const KINDS: [string, string][] = [
  ['global-growth', 'growth at many sites'],
  ['port-surge', 'surge on a service'],
  ['high-risk-port', 'surge that explains a site’s change'],
  ['wide-growth', 'growth of wide scans'],
  ['new-pattern', 'new pattern'],
  ['known-surge', 'surge of a known pattern'],
  ['moving-group', 'group that moves together'],
  ['in-step', 'hosts that come back together'],
  ['synchrony', 'hosts in the same moments'],
  ['density-jump', 'more hosts in the same moments'],
  ['graph-change', 'change of sources and services'],
  ['graph-shift', 'change of the whole graph'],
  ['spread', 'spread from site to site'],
];

export const ENGINES = ['surge', 'growth', 'reach', 'screen', 'graph', 'glasso', 'nmf', 'tensor', 'lead'];

/** What can tell the like of an alert; the words say what that means for this one. */
export const SUPPRESS_PARTS: { key: 'kind' | 'engine' | 'port' | 'site'; name: string; text: (a: AlertSummary) => string }[] = [
  { key: 'kind', name: 'Kind', text: (a) => `of kind ${a.kind}` },
  { key: 'port', name: 'Service', text: (a) => (a.ports.length > 0 ? `on ${a.ports.map((p) => portText(a.proto ?? '', p)).join(', ')} only` : 'on any service') },
  { key: 'site', name: 'Site', text: (a) => `at ${a.sites.join(', ')} only` },
  { key: 'engine', name: 'Engine', text: (a) => `seen by ${a.engine.filter((e) => e !== 'lead').join(', ')} alone` },
];

export const SUPPRESS_DAYS: [string, string][] = [['7', 'for a week'], ['30', 'for 30 days'], ['90', 'for 90 days'], ['365', 'for a year']];

/** What a suppression covers, in words. */
export function scopeText(scope: Suppression['scope']): string {
  const parts = [
    scope.kind ?? '',
    scope.ports ? scope.ports.map((p) => portText(scope.proto ?? '', p)).join(', ') : (scope.proto ?? ''),
    scope.sites ? `at ${scope.sites.join(', ')}` : '',
    scope.engine ? `by ${scope.engine} alone` : '',
    scope.network ? `from ${scope.network}` : '',
  ].filter(Boolean);
  return parts.join(' ');
}

/** Answered alerts sink below those that wait; then by severity, confidence and time. */
export function ranked(alerts: readonly AlertSummary[]): AlertSummary[] {
  const waits = (a: AlertSummary) => (a.workflow.state === 'known' || a.workflow.state === 'wrong' ? 0 : 1);
  return [...alerts].sort(
    (a, b) =>
      waits(b) - waits(a) ||
      SEVERITY_RANK[b.severity] - SEVERITY_RANK[a.severity] ||
      b.confidence - a.confidence ||
      b.time.localeCompare(a.time),
  );
}

/** Each alert once, whichever of the lists it is in. */
export function merged(...lists: (readonly AlertSummary[])[]): AlertSummary[] {
  return [...new Map(lists.flat().map((alert) => [alert.id, alert])).values()];
}

/** "53413/udp, 8 sites, 31 countries" */
export function scope(alert: AlertSummary): string {
  const parts: string[] = [];
  const proto = alert.proto;
  if (proto && alert.ports.length > 0) {
    const named = alert.ports.slice(0, 3).map((port) => portText(proto, port));
    const more = alert.ports.length > 3 ? ` and ${alert.ports.length - 3} more` : '';
    parts.push(named.join(', ') + more);
  }
  if (alert.sites.length > 0) parts.push(plural(alert.sites.length, 'site'));
  if (alert.host_count > 0) parts.push(plural(alert.host_count, 'source'));
  return parts.join(' · ');
}

export interface Drawn {
  engine: string;
  /** Number of the series in the engine's evidence. */
  index: number;
  series: EvidenceSeries;
  /** Series of the same engine, unit and times that are drawn with it: one line a site. */
  beside?: EvidenceSeries[];
}

/**
 * All series of the evidence; the one that says most comes first: it shows how it began or what was passed (in a long
 * alert some show its last hours alone), is of the engine that gives the alert its title, of a service that the alert
 * is about, not of the whole site, and passed its threshold furthest.
 */
export function evidenceSeries(alert: Alert): Drawn[] {
  const all: Drawn[] = [];
  for (const [engine, evidence] of Object.entries(alert.evidence)) {
    (evidence.series ?? []).forEach((series, index) => {
      if (series.values.length === 0) return;
      const drawn: EvidenceSeries = { unit: '', ...series };
      const mate = all.find((d) => d.engine === engine && isMate(d.series, drawn));
      if (mate) (mate.beside ??= []).push(drawn);
      else all.push({ engine, index, series: drawn });
    });
  }
  const about = (d: Drawn) => Number(alert.ports.some((port) => d.series.name.split(' ').includes(`${port}/${alert.proto}`)));
  const shows = (d: Drawn) => Number(d.series.threshold !== undefined || Date.parse(d.series.start) <= Date.parse(alert.start));
  const named = (d: Drawn) => Number(d.engine === alert.engine[0]);
  return all.sort((a, b) => shows(b) - shows(a) || named(b) - named(a) || about(b) - about(a) || excess(b.series) - excess(a.series));
}

/** Not its name: a stronger finding of the engine, at another site say, takes the place of the one before. */
export const drawnKey = (d: Drawn) => `${d.engine} ${d.index}`;

/** In the order of `places` (keys), what is not among them after it. */
export function inPlace(drawn: readonly Drawn[], places: readonly string[]): Drawn[] {
  const place = (d: Drawn) => {
    const at = places.indexOf(drawnKey(d));
    return at < 0 ? places.length : at;
  };
  return [...drawn].sort((a, b) => place(a) - place(b));
}

/** The same thing at another site: bare curves over the same time. */
function isMate(a: EvidenceSeries, b: EvidenceSeries): boolean {
  const bare = (s: EvidenceSeries) => !s.expected && !s.threshold;
  const where = / at [\w.:-]+$/;
  return bare(a) && bare(b) && a.unit === b.unit && a.start === b.start && a.step_s === b.step_s &&
    a.values.length === b.values.length && where.test(a.name) && a.name.replace(where, '') === b.name.replace(where, '');
}

/** How to read an engine's curves: what the lines are called, and one sentence. */
const READING: Record<string, { seen?: string; normal?: string; limit?: string; text: string }> = {
  surge: { text: 'Different sources in each window; normal is learned for this site, service and hour, and above the limit chance ends.' },
  growth: { text: 'One line a site: the further apart they rise, the longer the lag between sites.' },
  reach: { text: 'Networks with a host that was seen at so many sites within six hours, hour by hour: those that scan all addresses, fast.' },
  graph: { normal: 'predicted', text: 'A feature of the graph of sources and services; it changed where it leaves what its own past predicts.' },
  glasso: { normal: 'usual', text: 'Hosts that act in the same moments are joined in a graph; its density jumps when many do, and a slot that stands out is when they acted.' },
  nmf: { limit: 'rhythm', text: 'Visits of the group that begin in each slot; normal is what the same hosts would do if they followed all others, the dashed line the rhythm that the factorisation found.' },
  tensor: { text: 'Different networks in each slot; what stands out above the limit is a crowd that came within seconds.' },
};

export function reading(engine: string): { seen: string; normal: string; limit: string; text: string } {
  return { seen: 'seen', normal: 'normal', limit: 'limit', text: '', ...READING[engine] };
}

function excess(series: EvidenceSeries): number {
  let most = series.threshold ? 0 : -1;
  series.values.forEach((value, i) => {
    const limit = series.threshold?.[i];
    if (value && limit && limit > 0) most = Math.max(most, value / limit);
  });
  return most;
}

export type Block = NonNullable<Evidence['blocks']>[number];

export interface DrawnBlock {
  engine: string;
  block: Block;
}

/** The groups of hosts of the evidence, by port before by time. */
export function evidenceBlocks(alert: Alert): DrawnBlock[] {
  return Object.entries(alert.evidence).flatMap(([engine, evidence]) =>
    (evidence.blocks ?? []).filter((block) => block.cells.length > 0).map((block) => ({ engine, block })));
}

/** The largest cell, at least 1: what is drawn darkest. */
export function blockPeak(block: Block): number {
  return block.cells.flat().reduce<number>((most, value) => Math.max(most, value ?? 0), 1);
}

/** What a row is called: its network, or that it is not known now, or nothing more than its number where hosts are hidden. */
export function rowName(block: Block, row: number): string {
  if (!block.hosts) return `host ${row + 1}`;
  return block.hosts[row] || 'not seen now';
}

/** "23/tcp", or the time of day of a moment. */
export function columnName(block: Block, column: number): string {
  const label = block.columns[column] ?? '';
  return block.across === 'time' ? label.slice(11, 19) : label;
}

export type SiteStand = NonNullable<Evidence['sites']>[number];

/** How it stands at each site: as what joins the engines says, else the engine that looks at all sites; empty if none did. */
export function siteStands(alert: { evidence?: Alert['evidence'] }): SiteStand[] {
  const joined = alert.evidence?.lead?.sites ?? [];
  if (joined.length > 0) return joined;
  return Object.values(alert.evidence ?? {}).flatMap((evidence) => evidence.sites ?? []);
}

export interface Step {
  text: string;
  /** A page that helps with it. */
  link?: { path: string[]; query: Record<string, string | number>; label: string };
}

/** Other sites whose packets of that time came too late for the engines, as the hub knows since it was started. */
function notLookedAt(alert: AlertSummary, live: readonly SiteLive[]): string[] {
  const [start, end] = [Date.parse(alert.start), Date.parse(alert.end)];
  return live.filter((s) => !alert.sites.includes(s.site) && s.unseen_first && s.unseen_last
    && Date.parse(s.unseen_first) <= end && Date.parse(s.unseen_last) >= start).map((s) => s.site);
}

function oneSite(site: string, missed: string[]): string {
  if (missed.length === 0) return `The engines saw it only at ${site}: ask that site whether something of its own explains it.`;
  const named = missed.slice(0, 4).join(', ') + (missed.length > 4 ? ` and ${missed.length - 4} more` : '');
  return `Whether only ${site} sees it is not known: packets of ${named} from that time came after their windows were over, and the `
    + 'engines did not see them. Compare the sites on the page of the port, or replay their captures together.';
}

/** What to do next, most useful first. */
export function nextSteps(alert: AlertSummary & { evidence?: Alert['evidence'] }, live: readonly SiteLive[] = []): Step[] {
  const steps: Step[] = [];
  const port = alert.ports[0];
  const [country] = alert.countries;
  if (alert.sites.length === 1) {
    steps.push({ text: oneSite(alert.sites[0] ?? '', notLookedAt(alert, live)) });
  }
  if (country && alert.countries.length === 1) {
    steps.push({
      text: `All known sources are in ${countryName(country)}: tell its national CERT.`,
      link: { path: ['sources'], query: { country }, label: `Sources in ${countryName(country)}` },
    });
  }
  if (alert.proto && port !== undefined) {
    const name = portText(alert.proto, port);
    const service = serviceName(alert.proto, port);
    steps.push({
      text: `Look for hosts of your own that send to ${name}: they may be infected already.`,
      link: { path: ['sources'], query: { proto: alert.proto, port }, label: `Sources on ${name}` },
    });
    steps.push({
      text: `Find what you have that answers on ${name}${service ? ` (${service})` : ''}; close or patch what need not be reached.`,
    });
  }
  if (alert.host_count > 0) {
    steps.push({ text: `Compare the ${plural(alert.host_count, 'source')} with your customers and tell their owners.` });
  }
  const waiting = siteStands(alert).filter((s) => s.state === 'waiting').map((s) => s.site);
  if (waiting.length > 0) {
    const named = waiting.slice(0, 4).join(', ') + (waiting.length > 4 ? ` and ${waiting.length - 4} more` : '');
    steps.unshift({ text: `Not yet seen at ${named}: warn ${waiting.length === 1 ? 'it' : 'them'} now, while there is time.` });
  } else if (alert.sites.length > 1) {
    steps.push({ text: `Seen at ${alert.sites.length} sites: warn partners whose own networks are not watched.` });
  }
  steps.push({ text: 'Say whether the alert was right: others then need not look again.' });
  return steps;
}
