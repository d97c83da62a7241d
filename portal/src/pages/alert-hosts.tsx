import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { get, url, type Alert, type Source } from '../api/client';
import { blockOf, type Block, type HostEvents } from '../lib/block';
import { plural, stamp } from '../lib/format';
import { heat } from '../lib/onset';
import { href } from '../lib/route';
import { Card } from '../ui/card';
import { Country } from '../ui/flag';
import { Network } from '../ui/network';
import { Scroll } from '../ui/scroll';
import { Empty, Loading } from '../ui/state';
import { around } from './alert';

/** Asked for one by one, so few. */
const DRAWN = 12;
const AT_ONCE = 4;
const CELLS = 60;
const ORDER = 'those of its strongest window first; who was as busy before it began belongs to the background';

/** The sources: what each asked for, and when. */
export function HostsCard({ alert }: { alert: Alert }) {
  const span = around(alert);
  const note =
    alert.hosts.length === 0
      ? alert.host_count > 0
        ? 'The policy of this hub shows no addresses in alerts.'
        : 'It is about all traffic of the site: no sources of its own are known.'
      : alert.hosts.length < alert.host_count
          ? `A sample of ${plural(alert.hosts.length, 'address', 'addresses')} of ${plural(alert.host_count, 'source')}, ${ORDER}`
          : `${plural(alert.hosts.length, 'address', 'addresses')}, ${ORDER}`;
  return (
    <Card title="Sources" note={note}
      tools={alert.ports.length > 0 && (
        <a class="button button-small" href={href(['sources'], { ...span, proto: alert.proto, port: alert.ports[0] })}>All of them</a>
      )}>
      {alert.hosts.length > 0 && <HostBlock alert={alert} />}
      {alert.hosts.length > DRAWN && <Addresses hosts={alert.hosts.slice(DRAWN)} span={span} />}
    </Card>
  );
}

/** What the store holds of each host; asked for once the card comes into view. A host that fails is left out. */
function useHosts(hosts: string[], from: string, to: string) {
  const box = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState(false);
  const [found, setFound] = useState<HostEvents[]>();
  useEffect(() => {
    if (!box.current) return;
    const watch = new IntersectionObserver((entries) => entries.some((e) => e.isIntersecting) && setSeen(true), { rootMargin: '300px' });
    watch.observe(box.current);
    return () => watch.disconnect();
  }, []);
  const key = hosts.join();
  useEffect(() => {
    if (!seen) return;
    const leaving = new AbortController();
    const ask = async () => {
      const made: HostEvents[] = [];
      for (let i = 0; i < hosts.length; i += AT_ONCE) {
        const some = hosts.slice(i, i + AT_ONCE).map((host) =>
          get<Source>(url(`/sources/${host}`, { from, to, limit: 1000 }), leaving.signal).then((s) => ({ host, events: s.rows, summary: s.summary }), () => undefined));
        for (const one of await Promise.all(some)) if (one) made.push(one);
      }
      if (!leaving.signal.aborted) setFound(made);
    };
    void ask();
    return () => leaving.abort();
  }, [seen, key, from, to]);
  return { box, found };
}

function HostBlock({ alert }: { alert: Alert }) {
  const hosts = alert.hosts.slice(0, DRAWN);
  const first = useRef(around(alert));
  const { from, to } = first.current;
  const { box, found } = useHosts(hosts, from, to);
  const block = useMemo(() => found && blockOf(found, Date.parse(from), Date.parse(to), CELLS), [found, from, to]);
  return (
    <div ref={box} class="block-frame">
      {block && block.ports.length === 0 && <Empty small title="The store holds nothing of these sources">Their packets are not stored yet, or no longer.</Empty>}
      {block && block.ports.length === 0 ? <Addresses hosts={hosts} span={first.current} /> : block ? <BlockTable block={block} alert={alert} from={Date.parse(from)} to={Date.parse(to)} /> : <Loading height={hosts.length * 24 + 40} />}
    </div>
  );
}

function Addresses({ hosts, span }: { hosts: string[]; span: { from: string; to: string } }) {
  return (
    <ul class="hosts">
      {hosts.map((host) => (
        <li key={host}><a class="mono" href={href(['sources', host], span)}>{host}</a></li>
      ))}
    </ul>
  );
}

interface BlockTableProps {
  block: Block;
  alert: Alert;
  from: number;
  to: number;
}

function BlockTable({ block, alert, from, to }: BlockTableProps) {
  const start = (Date.parse(alert.start) - from) / (to - from);
  return (
    <Scroll>
      <table class="block" aria-label="Sources by time and by service">
        <thead>
          <tr>
            <th scope="col">Source</th>
            <th scope="col" class="block-time"><span class="row between"><span>{stamp(from)}</span><span>{stamp(to)}</span></span></th>
            {block.ports.map((port) => <th key={port} scope="col" class="block-port"><span>{port}</span></th>)}
          </tr>
        </thead>
        <tbody>
          {block.rows.map((row) => (
            <tr key={row.host}>
              <td class="block-host">
                <a class="mono" href={href(['sources', row.host], around(alert))}>{row.host}</a>
                {row.summary && (
                  <span class="sub row"><Country code={row.summary.country} short /> <Network asn={row.summary.asn} name={row.summary.as_name} /></span>
                )}
              </td>
              <td class="block-time">
                <svg viewBox={`0 0 ${CELLS * 5} 16`} preserveAspectRatio="none" role="img" aria-label={`${plural(row.all, 'packet')} over time`}>
                  {row.times.map((value, i) => <rect key={i} x={i * 5} y="0" width="4.500" height="16" class={`heat-${heat(value, block.mostTime)}`} />)}
                  <rect x={start * CELLS * 5 - 1} y="0" width="2" height="16" class="strip-mark" />
                </svg>
              </td>
              {row.packets.map((value, i) => (
                <td key={i} class={`block-cell shade-${heat(value, block.most)}`} title={`${row.host} sent ${plural(value, 'packet')} to ${block.ports[i] ?? ''}`}>
                  {value > 0 ? value : ''}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
