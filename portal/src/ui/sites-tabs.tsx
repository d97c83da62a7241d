import { href } from '../lib/route';

/** Sites have two sides: what they see, and how they are. */
export function SitesTabs({ now }: { now: 'sites' | 'fleet' }) {
  return (
    <nav class="row" aria-label="Sites">
      <a class="chip" href={href(['sites'])} aria-current={now === 'sites' ? 'page' : undefined}>Traffic</a>
      <a class="chip" href={href(['fleet'])} aria-current={now === 'fleet' ? 'page' : undefined}>Fleet</a>
    </nav>
  );
}
