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
const BURST = 3000;
const MINUTE = 60_000;
const HURRY = 10 * MINUTE;
const HURRY_EVERY = 10_000;

let live: Live = { state: 'connecting', tick: undefined, recent: [], news: [] };
let source: EventSource | undefined;
let again: ReturnType<typeof setTimeout> | undefined;
let wait = 1000;
let asking: ReturnType<typeof setTimeout> | undefined;
let followed = { at: Date.now(), data: Infinity };
const old = new Set<string>();
const listeners = new Set<(l: Live) => void>();

function become(change: Partial<Live>): void {
  live = { ...live, ...change };
  for (const listener of listeners) listener(live);
}

/** News come in bursts; what they make old is asked for once after each, not once for each. */
function refresh(part: string): void {
  old.add(part);
  asking ??= setTimeout(() => {
    asking = undefined;
    for (const each of old) invalidate(each);
    old.clear();
  }, BURST);
}

/** The range ends with the newest packet: what is held is asked for again every minute, and sooner while a capture
 *  is taken in faster than the clock. */
function follow(tick: Tick): void {
  if (!tick.data_time || document.hidden) return;
  const [now, data] = [Date.now(), Date.parse(tick.data_time)];
  if (followed.data === Infinity) followed.data = data;
  const hurries = data - followed.data > HURRY && now - followed.at > HURRY_EVERY;
  if (!hurries && now - followed.at < MINUTE) return;
  followed = { at: now, data };
  refresh('/status');
  refresh('/overview');
  refresh('/forecasts');
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
    if (!tick) return;
    become({ state: 'live', tick, recent: [...live.recent, tick.pps].slice(-RECENT_MAX) });
    follow(tick);
  });
  source.addEventListener('alert', (event) => {
    const alert = parse<AlertSummary>(event);
    if (!alert) return;
    const others = live.news.filter((n) => n.what !== 'alert' || n.alert.id !== alert.id);
    become({ news: [{ what: 'alert' as const, at: Date.now(), alert }, ...others].slice(0, NEWS_MAX) });
    for (const part of ['/alerts', '/overview', '/forecasts']) refresh(part);
  });
  source.addEventListener('fleet', () => invalidate('/fleet'));
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
