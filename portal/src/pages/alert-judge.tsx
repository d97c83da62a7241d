import { useState } from 'preact/hooks';
import { Fault, send, url, type Alert, type AlertState, type Rows, type Suppression } from '../api/client';
import { invalidate, useResource } from '../api/resource';
import { isAdmin } from '../api/session';
import { scopeText, STATES, SUPPRESS_DAYS, SUPPRESS_PARTS } from '../lib/alerts';
import { iso } from '../lib/format';
import { href } from '../lib/route';
import { Card } from '../ui/card';
import { Time } from '../ui/time';

const DAY = 86_400_000;

interface Saying {
  state?: AlertState;
  note?: string;
  until?: string;
  scope?: string;
}

/** Say what became of it, and for how long what is like it need not be shown. */
export function JudgeCard({ alert }: { alert: Alert }) {
  const { workflow } = alert;
  const [note, setNote] = useState(workflow.note);
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<Fault>();
  const change = async (body: Saying) => {
    setBusy(true);
    setFault(undefined);
    try {
      await send('PATCH', `/alerts/${encodeURIComponent(alert.id)}`, body);
      for (const part of ['/alerts', '/overview', '/suppressions']) invalidate(part);
    } catch (error) {
      setFault(error instanceof Fault ? error : new Fault(0, String(error)));
    } finally {
      setBusy(false);
    }
  };
  const may = isAdmin();
  const harmless = workflow.state === 'known' || workflow.state === 'wrong';
  return (
    <Card title="Your judgement" class="card-judge">
      <div class="judge" role="group" aria-label="Judgement">
        {STATES.filter((s) => s.key !== 'new').map((state) => (
          <button key={state.key} class="button" type="button" title={state.text} disabled={busy || !may} data-state={state.key}
            aria-pressed={workflow.state === state.key}
            onClick={() => void change({ state: workflow.state === state.key ? 'new' : state.key, ...(note ? { note } : {}) })}>
            {state.name}
          </button>
        ))}
      </div>
      <p class="small muted">{STATES.find((s) => s.key === workflow.state)?.text}.</p>
      <label class="field">
        Note
        <textarea class="input" name="note" maxLength={1000} value={note} disabled={!may} placeholder="What explains it, who was told, where to read on"
          onInput={(e) => setNote(e.currentTarget.value)} />
      </label>
      {note !== workflow.note && (
        <button class="button button-main" type="button" disabled={busy} onClick={() => void change({ note })}>
          Save the note
        </button>
      )}
      {may && harmless && workflow.suppression === null && (
        <Suppress alert={alert} note={note} busy={busy} onSay={(until, scope) => void change({ state: workflow.state, note, until, scope })} />
      )}
      {fault && <p class="form-error" role="alert">{[fault.message, fault.detail].filter(Boolean).join('. ')}</p>}
      {workflow.by && (
        <p class="small muted">
          Last by {workflow.by}, <Time at={workflow.changed} />
        </p>
      )}
      {!may && <p class="small muted">Only an admin may change this.</p>}
    </Card>
  );
}

interface SuppressProps {
  alert: Alert;
  note: string;
  busy: boolean;
  onSay: (until: string, scope: string) => void;
}

/** What is known or wrong can be kept from being shown again, for a while, by what tells it. */
function Suppress({ alert, note, busy, onSay }: SuppressProps) {
  const [days, setDays] = useState('30');
  const [parts, setParts] = useState(['kind', 'port', 'site']);
  const flip = (key: string) => setParts(parts.includes(key) ? parts.filter((p) => p !== key) : [...parts, key]);
  const scope = SUPPRESS_PARTS.map((p) => p.key).filter((key) => parts.includes(key));
  return (
    <fieldset class="suppress">
      <legend>Do not show its like again</legend>
      <div class="chips" role="group" aria-label="What tells its like">
        {SUPPRESS_PARTS.map((part) => (
          <label key={part.key} class="chip chip-check" title={part.text(alert)}>
            <input type="checkbox" name={`scope-${part.key}`} checked={parts.includes(part.key)} onChange={() => flip(part.key)} />
            {part.name}
          </label>
        ))}
      </div>
      <p class="small muted">{scope.length === 0 ? 'Choose what tells its like.' : `${SUPPRESS_PARTS.filter((p) => scope.includes(p.key)).map((p) => p.text(alert)).join('; ')}.`}</p>
      <div class="row row-wrap">
        <select class="input" name="until" aria-label="For how long" value={days} onChange={(e) => setDays(e.currentTarget.value)}>
          {SUPPRESS_DAYS.map(([value, text]) => <option key={value} value={value}>{text}</option>)}
        </select>
        <button class="button" type="button" disabled={busy || scope.length === 0 || note.trim() === ''}
          onClick={() => onSay(iso(Math.floor((Date.now() + Number(days) * DAY) / 1000) * 1000), scope.join(','))}>
          Suppress
        </button>
      </div>
      <p class="small muted">
        {note.trim() === '' ? 'The note must say why. ' : ''}It stays counted, and comes back if it grows to a higher severity or a new site.
      </p>
    </fieldset>
  );
}

/** Above everything: that it is not shown, why, and until when; or why it is shown again. */
export function SuppressedBanner({ alert }: { alert: Alert }) {
  const { suppression, back } = alert.workflow;
  const rules = useResource<Rows<Suppression>>(suppression === null ? null : url('/suppressions'));
  if (back) return <p class="banner" role="status"><b>It came back:</b> it was suppressed, and {back}.</p>;
  if (suppression === null) return null;
  const rule = rules.data?.rows.find((r) => r.id === suppression);
  return (
    <p class="banner banner-quiet" role="status">
      <b>Suppressed</b>
      {rule && <> until <Time at={rule.until} /> by {rule.by}: {rule.why} <span class="muted">({scopeText(rule.scope)})</span></>}.{' '}
      <a href={href(['suppressions'])}>Suppressions</a>
    </p>
  );
}
