// What the store holds: every time range is relative to its newest packet.
import { createContext, type ComponentChildren } from 'preact';
import { useContext } from 'preact/hooks';
import { Failed } from '../ui/state';
import { Splash } from '../ui/splash';
import { url, type Status } from './client';
import { useResource } from './resource';
import type { Span } from '../lib/range';

export interface Held extends Span {
  packets: number;
  /** The hub's clock, ms. */
  now: number;
}

const Context = createContext<Held>({ first: 0, last: 0, packets: 0, now: 0 });

export const STATUS_URL = url('/status');

export function HeldProvider({ children }: { children: ComponentChildren }) {
  const answer = useResource<Status>(STATUS_URL);
  if (!answer.data) {
    if (!answer.fault) return <Splash />;
    return <Failed fault={answer.fault} retry={answer.retry} />;
  }
  const { held, now } = answer.data;
  const value: Held = {
    first: held.first ? Date.parse(held.first) : 0,
    last: held.last ? Date.parse(held.last) : 0,
    packets: held.packets,
    now: Date.parse(now),
  };
  return <Context.Provider value={value}>{children}</Context.Provider>;
}

export function useHeld(): Held {
  return useContext(Context);
}
