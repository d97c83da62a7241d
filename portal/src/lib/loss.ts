// How much of a site's traffic did not reach the charts.
export interface Lossy {
  packets: number;
  dropped: number;
  sampled_out: number;
  malformed: number;
}

/** From this part on a loss bends the charts. */
export const LOSS_MATTERS = 0.001;

/** Part of all packets that was lost, 0 to 1. Packets sampled out of windows are still among the packets. */
export function lossPart(site: Lossy): number {
  const all = site.packets + site.dropped + site.malformed;
  return all === 0 ? 0 : (site.dropped + site.malformed + site.sampled_out) / all;
}
