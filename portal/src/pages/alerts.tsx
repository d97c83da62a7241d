import { useEffect, useRef, useState } from 'preact/hooks';
import { csvUrl, type AlertSummary } from '../api/client';
import { usePages } from '../api/pages';
import { ENGINES, KINDS, STATES } from '../lib/alerts';
import { iso } from '../lib/format';
import { typing } from '../lib/keys';
import { parsePort, portText } from '../lib/ports';
import { go, href, setQuery, useRoute } from '../lib/route';
import { AlertRow } from '../ui/alert-row';
import { Card } from '../ui/card';
import { SelectField, TextField } from '../ui/field';
import { Head } from '../ui/head';
import { RangePicker, useRange } from '../ui/range-picker';
import { SEVERITIES } from '../ui/severity';
import { Empty, Failed, Loading } from '../ui/state';

/** What the list is narrowed by, from the address. */
function useFilters() {
  const { query } = useRoute();
  const range = useRange();
  const word = (name: string) => query.get(name) ?? '';
  const port = parsePort(word('port'));
  // An alert is found by any moment of it; "all" is not a filter.
  const span = range.key === 'all' ? {} : { from: iso(range.from), to: iso(range.to) };
  return {
    word,
    ask: {
      ...span,
      status: word('status'),
      state: word('state'),
      severity: word('severity') || 'notice',
      kind: word('kind'),
      engine: word('engine'),
      site: word('site'),
      country: word('country'),
      q: word('q'),
      suppressed: word('suppressed') || 'exclude',
      port: port?.port,
      proto: port?.proto ?? word('proto'),
    },
  };
}

export function AlertsPage() {
  const { word, ask } = useFilters();
  const alerts = usePages<AlertSummary>('/alerts', { ...ask, limit: 50 });
  const marked = useSelection(alerts.rows ?? []);
  const set = (name: string) => (value: string) => setQuery({ [name]: value });
  return (
    <>
      <Head title="Alerts" text="What kizashi warns of, newest first. An alert grows while more of the same is seen.">
        <RangePicker />
      </Head>
      <div class="filters" role="search" aria-label="Filter alerts">
        <SelectField label="Severity" name="severity" value={word('severity') || 'notice'} onChange={set('severity')}
          options={SEVERITIES.map((s) => [s, s === 'critical' ? 'critical only' : `${s} and above`])} />
        <SelectField label="Growing" name="status" value={word('status')} onChange={set('status')}
          options={[['', 'open and closed'], ['open', 'open'], ['closed', 'closed']]} />
        <SelectField label="Judgement" name="state" value={word('state')} onChange={set('state')}
          options={[['', 'any'], ...STATES.map((s): [string, string] => [s.key, s.name])]} />
        <SelectField label="Kind" name="kind" value={word('kind')} onChange={set('kind')} options={[['', 'any'], ...KINDS]} />
        <SelectField label="Engine" name="engine" value={word('engine')} onChange={set('engine')}
          options={[['', 'any'], ...ENGINES.map((name): [string, string] => [name, name])]} />
        <TextField label="Port" name="port" value={portWord(word('port'), word('proto'))} placeholder="3389/tcp"
          onChange={(text) => setPort(text)} check={(text) => (parsePort(text) ? undefined : 'A port is written 3389 or 3389/tcp.')} />
        <TextField label="Site" name="site" value={word('site')} placeholder="jp-01" onChange={set('site')} />
        <TextField label="Country" name="country" value={word('country')} placeholder="kr" onChange={(v) => setQuery({ country: v.toLowerCase() })}
          check={(text) => (/^[a-z]{2}$/i.test(text) ? undefined : 'A country is two letters: kr.')} />
        <TextField label="Words" name="q" value={word('q')} placeholder="telnet" onChange={set('q')} />
      </div>
      <Card title="Alerts" csv={csvUrl('/alerts', ask)} flush
        note={<>Keys: <kbd>j</kbd> <kbd>k</kbd> to move, <kbd>Enter</kbd> to open</>}>
        <SuppressedNote leftOut={alerts.leftOut} shown={word('suppressed')} />
        {alerts.fault && <Failed fault={alerts.fault} retry={alerts.retry} />}
        {!alerts.fault && !alerts.rows && <Loading height={320} />}
        {!alerts.fault && alerts.rows?.length === 0 && <NoAlerts />}
        {!alerts.fault && alerts.rows && alerts.rows.length > 0 && (
          <ul class={`alert-list${alerts.busy ? ' stale' : ''}`}>
            {alerts.rows.map((alert) => (
              <AlertRow key={alert.id} alert={alert} selected={alert.id === marked} />
            ))}
          </ul>
        )}
        {alerts.more && (
          <p class="more">
            <button class="button" type="button" onClick={alerts.more}>
              Older alerts
            </button>
          </p>
        )}
      </Card>
    </>
  );
}

function portWord(port: string, proto: string): string {
  const parsed = parsePort(port);
  if (!parsed) return port;
  const named = parsed.proto ?? proto;
  return named ? portText(named, parsed.port) : port;
}

function setPort(text: string): void {
  const parsed = parsePort(text);
  setQuery({ port: parsed?.port ?? null, proto: parsed?.proto ?? null });
}

/** Nothing is lost without a word: how many suppressed alerts the list leaves out, and the way to them. */
function SuppressedNote({ leftOut, shown }: { leftOut: number; shown: string }) {
  if (leftOut === 0 && !shown) return null;
  return (
    <p class="suppressed-note small">
      {shown === 'only' && <>Only suppressed alerts. <button class="button button-small" type="button" onClick={() => setQuery({ suppressed: null })}>Leave them out</button></>}
      {shown === 'include' && <>With suppressed alerts. <button class="button button-small" type="button" onClick={() => setQuery({ suppressed: null })}>Leave them out</button></>}
      {!shown && <>{leftOut === 1 ? 'One suppressed alert is' : `${leftOut} suppressed alerts are`} left out. <button class="button button-small" type="button" onClick={() => setQuery({ suppressed: 'include' })}>Show {leftOut === 1 ? 'it' : 'them'}</button></>}
      {' '}<a href={href(['suppressions'])}>Suppressions</a>
    </p>
  );
}

function NoAlerts() {
  return (
    <Empty title="No alert like that">
      Take a filter away, choose a longer time range, or look at <a href={href(['alerts'], { severity: 'info' })}>weaker signs</a>. Engines
      need some hours of traffic before they know what is normal.
    </Empty>
  );
}

/**
 * j and k move, Enter opens. What is marked stays so when the list changes around it. Keys act on what is drawn, not on
 * what was there when an effect ran last.
 */
function useSelection(rows: AlertSummary[]): string | undefined {
  const [marked, setMarked] = useState<string>();
  const drawn = useRef({ rows, marked });
  drawn.current = { rows, marked };
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const { rows, marked } = drawn.current;
      if (typing(event) || rows.length === 0) return;
      const at = rows.findIndex((row) => row.id === marked);
      const step = event.key === 'j' ? 1 : event.key === 'k' ? -1 : 0;
      const onLink = (event.target as HTMLElement).closest('a, button');
      if (step) {
        drawn.current.marked = rows[Math.max(0, Math.min(rows.length - 1, at + step))]?.id;
        setMarked(drawn.current.marked);
      } else if (event.key === 'Enter' && marked && at >= 0 && !onLink) {
        go(href(['alerts', marked]));
      }
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, []);
  useEffect(() => {
    document.querySelector('.alert-row.selected')?.scrollIntoView({ block: 'nearest' });
  }, [marked]);
  return marked;
}
