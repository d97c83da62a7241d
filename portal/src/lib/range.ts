// The time range. It is relative to the newest data in the store, not to the wall clock: a replayed
// capture of last spring has a "last 24 hours" too.
import { iso, stamp } from './format';

export interface Span {
  /** ms since 1970; both 0 when the store is empty. */
  first: number;
  last: number;
}

export interface Range {
  key: RangeKey;
  from: number;
  to: number;
}

export type RangeKey = '1h' | '6h' | '24h' | '7d' | 'all' | 'custom';

const HOUR = 3_600_000;

export const RANGES: { key: RangeKey; label: string; text: string; ms: number }[] = [
  { key: '1h', label: '1 h', text: 'last hour', ms: HOUR },
  { key: '6h', label: '6 h', text: 'last 6 hours', ms: 6 * HOUR },
  { key: '24h', label: '24 h', text: 'last 24 hours', ms: 24 * HOUR },
  { key: '7d', label: '7 d', text: 'last 7 days', ms: 168 * HOUR },
  { key: 'all', label: 'All', text: 'all data', ms: 0 },
];

/** Data counts as old when its newest packet is this much behind the clock. */
const OLD = 24 * HOUR;

export function isOld(span: Span, now: number): boolean {
  return span.last > 0 && now - span.last > OLD;
}

export function defaultKey(span: Span, now: number): RangeKey {
  if (isOld(span, now) || span.last - span.first <= 72 * HOUR) return 'all';
  return '24h';
}

/** The end is the whole minute after the newest data, so that the address stays the same for a while. */
export function resolveRange(query: URLSearchParams, span: Span, now: number): Range {
  const end = Math.ceil((span.last + 1) / 60_000) * 60_000;
  const from = Date.parse(query.get('from') ?? '');
  const to = Date.parse(query.get('to') ?? '');
  if (Number.isFinite(from) && Number.isFinite(to) && from < to) return { key: 'custom', from, to };
  const wanted = query.get('range');
  const row = RANGES.find((r) => r.key === wanted) ?? RANGES.find((r) => r.key === defaultKey(span, now));
  const begin = Math.floor(span.first / 60_000) * 60_000;
  if (!row || row.key === 'all') return { key: 'all', from: begin, to: end };
  return { key: row.key, from: end - row.ms, to: end };
}

/** As the API wants it. */
export function rangeQuery(range: Range): { from: string; to: string } {
  return { from: iso(range.from), to: iso(range.to) };
}

export function rangeText(range: Range): string {
  const row = RANGES.find((r) => r.key === range.key);
  return row ? row.text : `${stamp(range.from)} to ${stamp(range.to)} UTC`;
}

/** "2026-11-22 14:05" or "2026-11-22T14:05Z", taken as UTC; NaN if it is no time. */
export function parseUtc(text: string): number {
  const match = /^(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2})(?::(\d{2}))?)?Z?$/.exec(text.trim());
  if (!match) return NaN;
  return Date.parse(`${match[1]}T${match[2] ?? '00:00'}:${match[3] ?? '00'}Z`);
}
