import type { AlertSummary, Page } from '../api/client';
import type { Resource } from '../api/resource';
import { ranked } from '../lib/alerts';
import { href } from '../lib/route';
import { AlertRow } from '../ui/alert-row';
import { Card } from '../ui/card';
import { Answer, Empty } from '../ui/state';

const SHOWN = 6;

export function AlertsCard({ of }: { of: Resource<Page<AlertSummary>> }) {
  return (
    <Card title="Needs a look" note="Open alerts, what is most severe and most certain first" flush
      tools={<a class="button button-small" href={href(['alerts'])}>All alerts</a>}>
      <Answer of={of} height={320}>
        {(page) => {
          if (page.rows.length === 0) {
            return (
              <Empty title="No open alert of notice or above">
                Weaker signs are among <a href={href(['alerts'])}>all alerts</a>.
              </Empty>
            );
          }
          return (
            <ul class="alert-list">
              {ranked(page.rows).slice(0, SHOWN).map((alert) => (
                <AlertRow key={alert.id} alert={alert} rich />
              ))}
            </ul>
          );
        }}
      </Answer>
    </Card>
  );
}
