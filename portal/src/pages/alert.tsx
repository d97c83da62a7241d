import { csvUrl, url, type Alert } from '../api/client';
import { useLive } from '../api/live';
import { useResource } from '../api/resource';
import { evidenceSeries, nextSteps, scope } from '../lib/alerts';
import { count, duration, iso } from '../lib/format';
import { href } from '../lib/route';
import { Card } from '../ui/card';
import { Confidence } from '../ui/confidence';
import { Country } from '../ui/flag';
import { Head } from '../ui/head';
import { Icon } from '../ui/icon';
import { PortName } from '../ui/port-name';
import { SeverityMark } from '../ui/severity';
import { StateChip } from '../ui/state-chip';
import { Failed, Loading } from '../ui/state';
import { Time } from '../ui/time';
import { BlocksCard } from './alert-blocks';
import { EvidenceCard } from './alert-evidence';
import { HostsCard } from './alert-hosts';
import { JudgeCard, SuppressedBanner } from './alert-judge';
import { NumbersCard } from './alert-numbers';
import { OnsetCard } from './alert-onset';
import { WayCard } from './alert-way';

/** How much time around an alert its links show. */
const AROUND = 6 * 3_600_000;

export function around(alert: { start: string; end: string }): { from: string; to: string } {
  return { from: iso(Date.parse(alert.start) - AROUND), to: iso(Date.parse(alert.end) + AROUND) };
}

export function AlertPage({ id }: { id: string }) {
  const address = url(`/alerts/${encodeURIComponent(id)}`);
  const answer = useResource<Alert>(address);
  const back = { href: href(['alerts']), label: 'Alerts' };
  if (answer.fault) {
    return (
      <>
        <Head title={answer.fault.status === 404 ? 'No such alert' : 'Alert'} back={back} />
        <Failed fault={answer.fault} retry={answer.retry} />
      </>
    );
  }
  const alert = answer.data;
  if (!alert || alert.id !== id) {
    return (
      <>
        <Head title="Alert" back={back} />
        <Loading height={420} />
      </>
    );
  }
  return (
    <article class={`alert-page edge-${alert.severity}`}>
      <Head title={alert.title} back={back} text={alert.explanation}>
        <Downloads alert={alert} address={address} />
      </Head>
      <SuppressedBanner alert={alert} />
      <div class="row row-wrap alert-bar">
        <SeverityMark of={alert.severity} />
        <Confidence value={alert.confidence} word />
        <StateChip alert={alert} />
        <span class="chip" title="Traffic Light Protocol: who may see it">TLP:{alert.tlp.toUpperCase()}</span>
        <span class="muted small">{scope(alert)}</span>
      </div>
      <div class="grid cols-main">
        <div class="stack">
          <EvidenceCard key={alert.id} alert={alert} drawn={evidenceSeries(alert)} />
          <BlocksCard alert={alert} />
          <WayCard alert={alert} />
          <OnsetCard alert={alert} />
          <HostsCard alert={alert} />
          <NumbersCard alert={alert} />
        </div>
        <div class="stack">
          <NextCard alert={alert} />
          <JudgeCard key={alert.id} alert={alert} />
          <FactsCard alert={alert} />
        </div>
      </div>
    </article>
  );
}

function Downloads({ alert, address }: { alert: Alert; address: string }) {
  const port = alert.ports[0];
  const packets = { ...around(alert), proto: alert.proto, port, limit: 100_000 };
  return (
    <div class="row row-wrap">
      <a class="button button-small" href={address} download={`${alert.id}.json`}>
        <Icon name="download" size={14} />
        JSON
      </a>
      <a class="button button-small csv" href={csvUrl('/packets', packets)} download={`${alert.id}.csv`}
        title="The first 100,000 packets of the alert's service, from six hours before to six hours after">
        <Icon name="download" size={14} />
        Packets as CSV
      </a>
    </div>
  );
}

function NextCard({ alert }: { alert: Alert }) {
  const { tick } = useLive();
  return (
    <Card title="What to do next" class="card-next">
      <ol class="steps">
        {nextSteps(alert, tick?.sites).map((step) => (
          <li key={step.text}>
            {step.text}{' '}
            {step.link && <a href={href(step.link.path, { ...step.link.query, ...around(alert) })}>{step.link.label}</a>}
          </li>
        ))}
      </ol>
    </Card>
  );
}

function FactsCard({ alert }: { alert: Alert }) {
  const lead = Date.parse(alert.time) - Date.parse(alert.start);
  const span = around(alert);
  return (
    <Card title="Facts">
      <dl class="facts">
        <dt>Began</dt>
        <dd><Time at={alert.start} /></dd>
        <dt>Warned</dt>
        <dd><Time at={alert.time} /> <span class="muted small">{duration(lead)} later</span></dd>
        <dt>Last seen</dt>
        <dd><Time at={alert.end} /></dd>
        <dt>Services</dt>
        <dd class="chips">
          {alert.ports.length === 0 && 'no one port'}
          {alert.ports.map((port) => (
            <a key={port} class="chip" href={href(['ports', alert.proto ?? 'tcp', String(port)], span)}>
              <PortName plain proto={alert.proto ?? ''} port={port} />
            </a>
          ))}
        </dd>
        <dt>Sites</dt>
        <dd class="chips">
          {alert.sites.map((site) => (
            <a key={site} class="chip" href={href(['sites', site], span)}>{site}</a>
          ))}
        </dd>
        <dt>Sources</dt>
        <dd>
          {alert.host_count > 0 ? count(alert.host_count) : 'not known'}
          {alert.host_count > 0 && <span class="muted small"> the most that one look of an engine told of; titles and charts count their own window</span>}
        </dd>
        <dt>Countries</dt>
        <dd class="chips">
          {alert.countries.length === 0 && 'not known'}
          {alert.countries.slice(0, 12).map((code) => (
            <a key={code} class="chip" href={href(['sources'], { ...span, country: code, port: alert.ports[0], proto: alert.proto })}>
              <Country code={code} short />
            </a>
          ))}
          {alert.countries.length > 12 && <span class="muted">and {alert.countries.length - 12} more</span>}
        </dd>
        <dt>Tool</dt>
        <dd>{alert.tool || 'none stands out'}</dd>
        <dt>Found by</dt>
        <dd>{alert.engine.join(', ')}</dd>
        <dt>Kind</dt>
        <dd><a href={href(['alerts'], { ...span, kind: alert.kind, severity: 'info' })}>{alert.kind}</a></dd>
        <dt>Related</dt>
        <dd>
          {(alert.related ?? []).length === 0 && 'none'}
          {(alert.related ?? []).map((id) => (
            <a key={id} class="related mono" href={href(['alerts', id])}>{id}</a>
          ))}
        </dd>
        <dt>Id</dt>
        <dd class="mono">{alert.id} <span class="muted">revision {alert.revision}</span></dd>
      </dl>
    </Card>
  );
}
