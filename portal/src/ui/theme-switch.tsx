import { setTheme, useTheme } from '../lib/theme';
import { Icon } from './icon';

export function ThemeSwitch() {
  const now = useTheme();
  const other = now === 'dark' ? 'light' : 'dark';
  return (
    <button class="button-bare theme-switch" type="button" onClick={() => setTheme(other)} title={`Use the ${other} theme`}
      aria-label={`Use the ${other} theme`}>
      <Icon name={now === 'dark' ? 'sun' : 'moon'} />
    </button>
  );
}
