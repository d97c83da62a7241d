import { OPEN_URL, UNSEEN_URL } from '../api/attention';
import type { AlertSummary, Page } from '../api/client';
import { useResource } from '../api/resource';
import { merged, ranked } from '../lib/alerts';
import { plural } from '../lib/format';
import { href } from '../lib/route';
import { AlertRow } from '../ui/alert-row';
import { Card } from '../ui/card';
import { Answer, Empty } from '../ui/state';

const SHOWN = 6;

function useAttention() {
  const open = useResource<Page<AlertSummary>>(OPEN_URL);
  const unseen = useResource<Page<AlertSummary>>(UNSEEN_URL);
  const both = open.data && unseen.data;
  const alerts = both && ranked(merged(open.data?.rows ?? [], unseen.data?.rows ?? []));
  return { open, unseen, alerts };
}

/** In one sentence: how many alerts want somebody, of what severity, and how many nobody has looked at. */
export function Headline() {
  const { alerts } = useAttention();
  if (!alerts) return <>Signs of what is coming.</>;
  if (alerts.length === 0) return <>Nothing needs you: no open alert of notice or above, and all were looked at.</>;
  const number = (test: (a: AlertSummary) => boolean) => alerts.filter(test).length;
  const parts = (['critical', 'warning', 'notice'] as const)
    .map((severity) => [number((a) => a.severity === severity), severity] as const)
    .filter(([n]) => n > 0);
  const unseen = number((a) => a.workflow.state === 'new');
  return (
    <>
      {plural(alerts.length, 'alert')}: {parts.map(([n, severity]) => `${n} ${severity}`).join(', ')};{' '}
      {number((a) => a.status === 'open')} still growing.{' '}
      <b>{unseen === 0 ? 'All have been looked at.' : `${unseen === 1 ? 'One has' : `${unseen} have`} not been looked at.`}</b>
    </>
  );
}

export function AlertsCard() {
  const { open, unseen, alerts } = useAttention();
  const of = { ...(open.fault ? open : unseen), data: alerts };
  return (
    <Card title="Needs a look" note="Of any time, whatever the range: still growing, or not looked at yet; the most severe and most certain first" flush
      tools={<a class="button button-small" href={href(['alerts'])}>All alerts</a>}>
      <Answer of={of} height={320}>
        {(rows) => {
          if (rows.length === 0) {
            return (
              <Empty title="Nothing needs you">
                Weaker signs are among <a href={href(['alerts'])}>all alerts</a>.
              </Empty>
            );
          }
          return (
            <ul class="alert-list">
              {rows.slice(0, SHOWN).map((alert) => (
                <AlertRow key={alert.id} alert={alert} rich />
              ))}
            </ul>
          );
        }}
      </Answer>
    </Card>
  );
}
