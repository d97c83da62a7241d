import { useState } from 'preact/hooks';
import { Fault, send, type Alert, type AlertState } from '../api/client';
import { invalidate } from '../api/resource';
import { isAdmin } from '../api/session';
import { STATES } from '../lib/alerts';
import { Card } from '../ui/card';
import { Time } from '../ui/time';

/** Say what became of it. */
export function JudgeCard({ alert }: { alert: Alert }) {
  const { workflow } = alert;
  const [note, setNote] = useState(workflow.note);
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<Fault>();
  const change = async (body: { state?: AlertState; note?: string }) => {
    setBusy(true);
    setFault(undefined);
    try {
      await send('PATCH', `/alerts/${encodeURIComponent(alert.id)}`, body);
      invalidate('/alerts');
      invalidate('/overview');
    } catch (error) {
      setFault(error instanceof Fault ? error : new Fault(0, String(error)));
    } finally {
      setBusy(false);
    }
  };
  const may = isAdmin();
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
        <textarea class="input" maxLength={1000} value={note} disabled={!may} placeholder="What explains it, who was told, where to read on"
          onInput={(e) => setNote(e.currentTarget.value)} />
      </label>
      {note !== workflow.note && (
        <button class="button button-main" type="button" disabled={busy} onClick={() => void change({ note })}>
          Save the note
        </button>
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
