import { href } from '../lib/route';
import { leftOut, VIEWS, viewOf, type View } from '../lib/screen';
import { setFilter, useFilters } from '../lib/traffic';
import { Segments } from './segments';

/** Whether known noise counts, and in words what the page leaves out. */
export function ScreenFilter() {
  const { tag } = useFilters();
  const set = (key: View | '') => setFilter('tag', VIEWS.find((view) => view.key === key)?.tag ?? '');
  return (
    <div class="row row-wrap screen-filter">
      <Segments<View | ''> label="Known noise" options={[...VIEWS]} value={viewOf(tag) ?? ''} onChange={set} />
      <span class="small muted">
        {leftOut(tag)} <a href={href(['screened'])}>What is tagged, and why</a>
      </span>
    </div>
  );
}
