import type { SiteLive, SiteRow } from '../api/client';
import { ago, count, percent, short, stampFull } from '../lib/format';
import { LOSS_MATTERS } from '../lib/loss';
import { href } from '../lib/route';
import { useHeld } from '../api/held';
import type { Column } from './data-table';
import { Time } from './time';

type StateWord = SiteLive['state'];

export const SITE_STATES: Record<StateWord, { dot: string; text: string }> = {
  awaited: { dot: 'dot', text: 'not heard since the hub started' },
  live: { dot: 'dot dot-good', text: 'packets come' },
  replaying: { dot: 'dot dot-good', text: 'from a file' },
  silent: { dot: 'dot dot-warn', text: 'watching, but nothing comes' },
  lossy: { dot: 'dot dot-warn', text: 'losing packets' },
  down: { dot: 'dot dot-bad', text: 'nothing is heard of it' },
  done: { dot: 'dot', text: 'the file has ended' },
  failed: { dot: 'dot dot-bad', text: 'failed' },
};

export function SiteState({ row }: { row: SiteRow }) {
  if (!row.live) return <span class="row muted"><i class="dot" aria-hidden="true" />not watched now</span>;
  const state = SITE_STATES[row.live.state];
  return (
    <span class="row nowrap" title={row.live.detail ?? state.text}>
      <i class={state.dot} aria-hidden="true" />
      {row.live.state}
      {row.live.pps > 0 && <span class="muted">{short(row.live.pps)} pps</span>}
    </span>
  );
}

/** Lost packets and their part of all; the colour of trouble only where it matters. */
export function Loss({ lost, of }: { lost: number; of: number }) {
  if (lost === 0) return <span class="muted">0</span>;
  const part = lost / Math.max(1, of + lost);
  return (
    <span class={part >= LOSS_MATTERS ? 'bad nowrap' : 'nowrap'} title={count(lost)}>
      {short(lost)} <span class={part >= LOSS_MATTERS ? 'small' : 'small muted'}>({percent(part)})</span>
    </span>
  );
}

/** In the capture's time; of a file beside it when it was read. */
export function LastPacket({ row }: { row: SiteRow }) {
  const { now } = useHeld();
  const state = row.live?.state;
  const watched = state === 'live' || state === 'lossy' || state === 'silent';
  return (
    <>
      <Time at={row.last} rel={watched} />
      {row.last && row.live && !watched && (
        <span class="sub nowrap" title={`since ${stampFull(row.live.since)}`}>
          {state === 'replaying' ? 'being read now' : state === 'done' ? `read ${ago(row.live.since, now)}` : ''}
        </span>
      )}
    </>
  );
}

export function siteColumns(): Column<SiteRow>[] {
  return [
    { head: 'Site', cell: (r) => <a class="strong nowrap" href={href(['sites', r.site])}>{r.site}</a>, sort: (r) => r.site },
    { head: 'State', cell: (r) => <SiteState row={r} />, sort: (r) => r.live?.state ?? '' },
    { head: 'Packets', num: true, cell: (r) => <span title={count(r.packets)}>{short(r.packets)}</span>, sort: (r) => r.packets },
    { head: 'Sources', num: true, wide: true, cell: (r) => <span title={count(r.sources)}>{short(r.sources)}</span>, sort: (r) => r.sources },
    { head: 'Dropped', num: true, help: 'Lost between the network card and the decoder', cell: (r) => <Loss lost={r.dropped} of={r.packets} />, sort: (r) => r.dropped },
    { head: 'Sampled out', num: true, wide: true, help: 'Left out of windows because memory was full', cell: (r) => <Loss lost={r.sampled_out} of={r.packets} />, sort: (r) => r.sampled_out },
    { head: 'Malformed', num: true, wide: true, help: 'Not decodable', cell: (r) => <Loss lost={r.malformed} of={r.packets} />, sort: (r) => r.malformed },
    { head: 'Last packet', num: true, cell: (r) => <LastPacket row={r} />, sort: (r) => r.last ?? '' },
  ];
}
