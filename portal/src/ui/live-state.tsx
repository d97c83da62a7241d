import { useLive, type LiveState } from '../api/live';
import { short } from '../lib/format';

const WORDS: Record<LiveState, [string, string]> = {
  connecting: ['dot', 'connecting'],
  live: ['dot dot-good', 'live'],
  lost: ['dot dot-bad', 'no live line'],
};

/** The state of the event stream, with the packets a second that it tells of. */
export function LiveBadge() {
  const { state, tick } = useLive();
  const [dot, word] = WORDS[state];
  const title = state === 'lost' ? 'The live connection to the hub is down; trying again' : 'Live connection to the hub';
  return (
    <span class="row live-badge" role="status" title={title} data-state={state}>
      <i class={dot} aria-hidden="true" />
      <span>{word}</span>
      {state === 'live' && tick && <span class="muted live-pps">{short(tick.pps)} pps</span>}
    </span>
  );
}
