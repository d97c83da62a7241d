// The hub's event stream: one connection for the page, with its state shown, and news passed on to who listens.
import { useEffect, useState } from 'preact/hooks';
import { url, type AlertSummary, type SiteLive, type Tick } from './client';
import { invalidate } from './resource';

export type LiveState = 'connecting' | 'live' | 'lost';

export interface Live {
  state: LiveState;
  tick: Tick | undefined;
  /** Packets a second of the last ticks, oldest first. */
  recent: number[];
  /** What happened, newest first. */
  news: News[];
}

export type News =
  | { what: 'alert'; at: number; alert: AlertSummary }
  | { what: 'site'; at: number; site: SiteLive };

const RECENT_MAX = 90;
const NEWS_MAX = 30;
const WAIT_MAX = 30_000;

let live: Live = { state: 'connecting', tick: undefined, recent: [], news: [] };
let source: EventSource | undefined;
let again: ReturnType<typeof setTimeout> | undefined;
let wait = 1000;
const listeners = new Set<(l: Live) => void>();

function become(change: Partial<Live>): void {
  live = { ...live, ...change };
  for (const listener of listeners) listener(live);
}

function parse<T>(event: Event): T | undefined {
  try {
    return JSON.parse((event as MessageEvent<string>).data) as T;
  } catch {
    return undefined;
  }
}

export function connect(): void {
  if (source) return;
  become({ state: live.state === 'lost' ? 'lost' : 'connecting' });
  source = new EventSource(url('/events'));
  source.addEventListener('hello', () => {
    wait = 1000;
    // What was missed while the line was down is asked for anew.
    if (live.state === 'lost') invalidate('/');
    become({ state: 'live' });
  });
  source.addEventListener('tick', (event) => {
    const tick = parse<Tick>(event);
    if (tick) become({ state: 'live', tick, recent: [...live.recent, tick.pps].slice(-RECENT_MAX) });
  });
  source.addEventListener('alert', (event) => {
    const alert = parse<AlertSummary>(event);
    if (!alert) return;
    const others = live.news.filter((n) => n.what !== 'alert' || n.alert.id !== alert.id);
    become({ news: [{ what: 'alert' as const, at: Date.now(), alert }, ...others].slice(0, NEWS_MAX) });
    invalidate('/alerts');
    invalidate('/overview');
  });
  source.addEventListener('site', (event) => {
    const site = parse<SiteLive>(event);
    if (site) become({ news: [{ what: 'site' as const, at: Date.now(), site }, ...live.news].slice(0, NEWS_MAX) });
  });
  source.onerror = () => {
    source?.close();
    source = undefined;
    become({ state: 'lost' });
    again = setTimeout(connect, wait);
    wait = Math.min(wait * 2, WAIT_MAX);
  };
}

export function disconnect(): void {
  clearTimeout(again);
  source?.close();
  source = undefined;
  live = { state: 'connecting', tick: undefined, recent: [], news: [] };
}

export function useLive(): Live {
  const [now, setNow] = useState(live);
  useEffect(() => {
    listeners.add(setNow);
    setNow(live);
    return () => void listeners.delete(setNow);
  }, []);
  return now;
}
