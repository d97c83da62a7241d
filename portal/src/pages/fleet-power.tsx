// The power of a site's machine, by its management controller. What was switched stands with the other actions.
import { useState } from 'preact/hooks';
import { Fault, send, url, type SitePower } from '../api/client';
import { invalidate, useResource } from '../api/resource';
import { isAdmin } from '../api/session';
import { Card } from '../ui/card';
import { Answer, Empty } from '../ui/state';

const WAYS: Record<string, string> = { ipmi: 'IPMI', redfish: 'Redfish' };
const ACTIONS: [string, string][] = [
  ['on', 'switch it on'],
  ['shutdown', 'ask its system to shut down'],
  ['off', 'switch it off at once'],
  ['cycle', 'switch it off and on again'],
  ['reset', 'reset it without switching it off'],
];

export function PowerCard({ site }: { site: string }) {
  const power = useResource<SitePower>(url(`/fleet/${encodeURIComponent(site)}/power`));
  return (
    <Card title="Power" note="Of its machine, by the management controller there">
      <Answer of={power} height={80}>
        {(p) => <Power site={site} power={p} />}
      </Answer>
    </Card>
  );
}

function Power({ site, power }: { site: string; power: SitePower }) {
  const way = WAYS[power.kind ?? ''] ?? power.kind;
  if (!power.allowed) {
    return power.kind === null
      ? <Empty small title="This hub switches no power">It does where it runs with <code>--switch-power</code>.</Empty>
      : <Empty small title={`Over ${way}, at the shell of the hub`}>From here where the hub runs with <code>--switch-power</code>.</Empty>;
  }
  if (!isAdmin()) return power.kind === null ? <Empty small title="Nobody said where it is switched">An admin can.</Empty> : <p class="muted">Over {way}; an admin can switch it.</p>;
  return (
    <>
      {power.kind !== null && <p class="small muted power-door">Over {way} at <span class="mono">{power.address}</span> as <span class="mono">{power.user}</span></p>}
      {power.kind !== null && <Switch site={site} way={way ?? ''} />}
      <Door site={site} power={power} />
    </>
  );
}

const sentence = (error: unknown) => (error instanceof Fault ? [error.message, error.detail].filter(Boolean).join('. ') : String(error));

/** Where it is switched. The password goes to the hub and never comes back: another address needs it anew. */
function Door({ site, power }: { site: string; power: SitePower }) {
  const path = `/fleet/${encodeURIComponent(site)}/power`;
  const [kind, setKind] = useState<string>(power.kind ?? 'redfish');
  const [fault, setFault] = useState('');
  const [said, setSaid] = useState('');
  const [busy, setBusy] = useState(false);
  const act = async (work: () => Promise<unknown>, done: string) => {
    setBusy(true);
    setFault('');
    setSaid('');
    try {
      await work();
      setSaid(done);
      invalidate('/power');
      return true;
    } catch (error) {
      setFault(sentence(error));
      return false;
    } finally {
      setBusy(false);
    }
  };
  const save = (event: Event) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const body = Object.fromEntries(new FormData(form));
    void act(() => send('PUT', path, body), 'Saved. Ask whether it is on to see that it works.').then((good) => good && form.reset());
  };
  const forget = () => {
    if (confirm(`Forget where the power of ${site} is switched, and the password?`)) void act(() => send('DELETE', path), 'Forgotten.');
  };
  return (
    <>
      {said && <p class="small door-said" role="status">{said}</p>}
      <details class="door" open={power.kind === null}>
        <summary>{power.kind === null ? 'Nobody said where it is switched' : 'Switch it elsewhere'}</summary>
        <form class="form door-form" onSubmit={save}>
          <label class="field">Over
            <select class="input" name="kind" value={kind} onChange={(e) => setKind(e.currentTarget.value)}>
              <option value="redfish">Redfish</option>
              <option value="ipmi">IPMI</option>
            </select>
          </label>
          <label class="field">Address of the controller
            <input class="input" name="address" required maxLength={250} autocomplete="off" spellcheck={false} autocapitalize="none"
              placeholder={kind === 'ipmi' ? '192.0.2.7' : 'https://192.0.2.7'} />
          </label>
          <label class="field">User there
            <input class="input" name="user" required pattern="[A-Za-z0-9._@\-]{1,63}" autocomplete="off" spellcheck={false} autocapitalize="none" />
          </label>
          <label class="field">Password there
            <input class="input" name="password" type="password" required maxLength={127} autocomplete="new-password" />
          </label>
          <label class="field">Type {site} to confirm
            <input class="input" name="confirm" required autocomplete="off" spellcheck={false} autocapitalize="none" />
          </label>
          <p class="small muted">Kept on the hub in a file that only it can read, and not shown again; on record with your name. {kind === 'redfish' && <>
            A key that nobody has certified is pinned: <span class="mono">https://HOST#sha256//…</span></>}</p>
          <div class="row">
            <button class="button" type="submit" disabled={busy}>Save</button>
            {power.kind !== null && <button class="button" type="button" disabled={busy} onClick={forget}>Forget</button>}
          </div>
        </form>
        {fault && <p class="form-error" role="alert">{fault}</p>}
      </details>
    </>
  );
}

function Switch({ site, way }: { site: string; way: string }) {
  const [said, setSaid] = useState('');
  const [fault, setFault] = useState('');
  const [busy, setBusy] = useState(false);
  const ask = async (body: object) => {
    setBusy(true);
    setFault('');
    setSaid('');
    try {
      const { on } = await send<{ on: boolean }>('POST', `/fleet/${encodeURIComponent(site)}/power`, body);
      setSaid(`The power is ${on ? 'on' : 'off'}.`);
    } catch (error) {
      setFault(sentence(error));
    } finally {
      setBusy(false);
      invalidate('/actions');
    }
  };
  const act = (event: Event) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const data = new FormData(form);
    void ask({ action: String(data.get('power')), confirm: String(data.get('confirm')) }).then(() => form.reset());
  };
  return (
    <>
      <div class="row">
        <button class="button" type="button" disabled={busy} onClick={() => void ask({ action: 'status' })}>Is it on?</button>
        <span role="status">{busy ? `Asking over ${way} …` : said}</span>
      </div>
      <form class="filters inline-form power-form" onSubmit={act}>
        <label class="field">What
          <select class="input" name="power">{ACTIONS.map(([value, text]) => <option key={value} value={value}>{text}</option>)}</select>
        </label>
        <label class="field">Type {site} to confirm
          <input class="input" name="confirm" required autocomplete="off" spellcheck={false} autocapitalize="none" />
        </label>
        <button class="button" type="submit" disabled={busy}>Switch</button>
      </form>
      {fault && <p class="form-error" role="alert">{fault}</p>}
    </>
  );
}
