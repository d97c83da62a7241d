// Who asked for what, and when: the sources of an alert as a block of hosts by ports, and as strips over time.
import type { SourceEvent, SourceRow } from '../api/client';
import { portText } from './ports';

export interface HostEvents {
  host: string;
  events: SourceEvent[];
  /** Where it is; nothing if the store does not know it. */
  summary?: SourceRow | null;
}

export interface Block {
  /** Services, those of most hosts first. */
  ports: string[];
  rows: { host: string; summary: SourceRow | null; packets: number[]; times: number[]; all: number }[];
  /** The largest of all `packets` and of all `times`. */
  most: number;
  mostTime: number;
}

/** At most so many services have room. */
const PORTS = 10;

/** `from` to `to` (ms) in `cells` equal parts. */
export function blockOf(hosts: HostEvents[], from: number, to: number, cells: number): Block {
  const asked = new Map<string, number>();
  for (const { events } of hosts) {
    for (const port of new Set(events.map((e) => portText(e.proto, e.port)))) asked.set(port, (asked.get(port) ?? 0) + 1);
  }
  const ports = [...asked].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, PORTS).map(([port]) => port);
  const rows = hosts.map(({ host, events, summary }) => {
    const packets = ports.map(() => 0);
    const times = Array.from({ length: cells }, () => 0);
    for (const e of events) {
      const port = ports.indexOf(portText(e.proto, e.port));
      if (port >= 0) packets[port] = (packets[port] ?? 0) + e.packets;
      const cell = Math.floor(((Date.parse(e.start) - from) / (to - from)) * cells);
      if (cell >= 0 && cell < cells) times[cell] = (times[cell] ?? 0) + e.packets;
    }
    return { host, summary: summary ?? null, packets, times, all: events.reduce((sum, e) => sum + e.packets, 0) };
  });
  return { ports, rows, most: Math.max(0, ...rows.flatMap((r) => r.packets)), mostTime: Math.max(0, ...rows.flatMap((r) => r.times)) };
}
