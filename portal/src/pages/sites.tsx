import { csvUrl, url, type Page, type Series, type SiteRow } from '../api/client';
import { useResource } from '../api/resource';
import { SeriesChart } from '../charts/series-chart';
import { rangeQuery, rangeText } from '../lib/range';
import { Card } from '../ui/card';
import { DataTable } from '../ui/data-table';
import { Head } from '../ui/head';
import { LossNote } from '../ui/loss-note';
import { RangePicker, useRange } from '../ui/range-picker';
import { siteColumns } from '../ui/site-columns';
import { SitesTabs } from '../ui/sites-tabs';
import { Answer, Empty } from '../ui/state';

export function SitesPage() {
  const range = useRange();
  const ask = rangeQuery(range);
  const sites = useResource<Page<SiteRow>>(url('/sites', ask));
  const bySite = { ...ask, by: 'site', measure: 'packets', limit: 8 };
  const series = useResource<Series>(url('/series', bySite));
  return (
    <>
      <Head title="Sites" text="Where kizashi watches, what arrived and what was lost on the way.">
        <SitesTabs now="sites" />
        <RangePicker />
      </Head>
      <div class="stack">
        <Card title="All sites" note={rangeText(range)} csv={csvUrl('/sites', ask)} flush>
          <Answer of={sites} height={260}>
            {(page) =>
              page.rows.length === 0 ? (
                <Empty title="No site yet">
                  Add one: <code>kizashi hub --site NAME=FILE</code> for a capture, <code>--interface IF</code> for live traffic.
                </Empty>
              ) : (
                <DataTable label="Sites" columns={siteColumns()} rows={page.rows} id={(r) => r.site} />
              )
            }
          </Answer>
        </Card>
        <Card title="Packets by site" csv={csvUrl('/series', bySite)}>
          <LossNote {...ask} />
          <Answer of={series} height={260}>
            {(data) => <SeriesChart series={data} label="Packets by site" height={260} />}
          </Answer>
        </Card>
      </div>
    </>
  );
}
