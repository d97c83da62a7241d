// The filters that ports and sources share, from the address of the page and back.
import { setQuery, useRoute } from './route';

export interface Filters {
  site: string;
  country: string;
  tool: string;
  class: string;
  /** What screening says: "-known,-survey-like" leaves both out. */
  tag: string;
  proto: string;
  port: string;
  asn: string;
  src: string;
}

const NAMES = ['site', 'country', 'tool', 'class', 'tag', 'proto', 'port', 'asn', 'src'] as const;

export function useFilters(): Filters {
  const { query } = useRoute();
  const made = {} as Filters;
  for (const name of NAMES) made[name] = query.get(name) ?? '';
  return made;
}

export function setFilter(name: keyof Filters, value: string): void {
  setQuery({ [name]: value });
}

export function clearFilters(): void {
  setQuery(Object.fromEntries(NAMES.map((name) => [name, null])));
}

export function anyFilter(filters: Filters): boolean {
  return NAMES.some((name) => filters[name] !== '');
}

/** Classes of packets, and what each means. */
export const CLASSES: [string, string][] = [
  ['scan', 'looks for services'],
  ['worm', 'scans the way a worm spreads'],
  ['survey', 'announced research and search engines'],
  ['backscatter', 'answers to spoofed packets: victims of attacks'],
  ['misconfiguration', 'many to one address, by mistake'],
  ['other', 'none of these'],
];

/** undefined if it is an address or a prefix; the API has the last word. */
export function checkAddress(text: string): string | undefined {
  return /^[0-9a-fA-F:.]{2,45}(\/\d{1,3})?$/.test(text) ? undefined : 'An address or a prefix: 192.0.2.0/24.';
}

export function checkAsn(text: string): string | undefined {
  return /^(as)?\d{1,10}$/i.test(text) ? undefined : 'A number: 2497.';
}

export function checkCountry(text: string): string | undefined {
  return /^[a-z]{2}$/i.test(text) ? undefined : 'Two letters: kr.';
}

export function checkName(text: string): string | undefined {
  return /^[a-z0-9._:-]{1,63}$/.test(text) ? undefined : 'Lower-case letters, digits, . _ : -';
}
