import { Mark } from './mark';

/** While the first answers are on their way. */
export function Splash() {
  return (
    <div class="splash" role="status">
      <Mark size={44} />
      <span>Asking the hub …</span>
    </div>
  );
}
