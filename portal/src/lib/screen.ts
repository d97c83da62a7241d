// What screening has tagged, as the filter of the pages: everything, only what has no tag, only what has one.
import type { Filters } from './traffic';

export const TAGS: [string, string][] = [
  ['known', 'sent by known malware, or by noise that a person has accepted'],
  ['survey-like', 'from a source that scans as surveys do, on no list'],
];

const NAMES = TAGS.map(([name]) => name);

export const VIEWS = [
  { key: 'all', label: 'With known noise', tag: '', title: 'Everything, whatever screening says' },
  { key: 'new', label: 'Only new', tag: NAMES.map((name) => `-${name}`).join(','), title: 'Without what screening has tagged' },
  { key: 'noise', label: 'Only known noise', tag: NAMES.join(','), title: 'Only what screening has tagged' },
] as const;

export type View = (typeof VIEWS)[number]['key'];

/** The view that a filter stands for; undefined for one that was written by hand: "-known". */
export function viewOf(tag: Filters['tag']): View | undefined {
  return VIEWS.find((view) => view.tag === tag)?.key;
}

/** In words, what does not count. */
export function leftOut(tag: Filters['tag']): string {
  if (!tag) return 'Nothing is left out: contacts tagged known or survey-like count.';
  const names = tag.split(',').map((name) => name.replace(/^-/, ''));
  const screened = 'Only windows that screening has looked at count, so not the one that is open.';
  if (tag.startsWith('-')) return `Left out: contacts tagged ${names.join(' or ')}. ${screened}`;
  return `Left out: all but contacts tagged ${names.join(' or ')}. ${screened}`;
}
