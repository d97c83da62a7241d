import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

interface ScrollProps {
  children: ComponentChildren;
  /** Beside that of every box that scrolls. */
  class?: string;
  height?: number;
}

/** A box that scrolls when its table does not fit, and shows at which edges there is more: they fade. */
export function Scroll({ children, class: more, height }: ScrollProps) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const at = box.current;
    if (!at) return;
    const tell = () => {
      const over = { left: at.scrollLeft, right: at.scrollWidth - at.clientWidth - at.scrollLeft, up: at.scrollTop, down: at.scrollHeight - at.clientHeight - at.scrollTop };
      at.dataset.more = Object.entries(over).filter(([, pixels]) => pixels > 2).map(([edge]) => edge).join(' ');
      // Only what scrolls is a stop of the keyboard.
      if (at.scrollWidth > at.clientWidth + 2 || at.scrollHeight > at.clientHeight + 2) at.tabIndex = 0;
      else at.removeAttribute('tabindex');
    };
    const watch = new ResizeObserver(tell);
    watch.observe(at);
    for (const child of at.children) watch.observe(child);
    at.addEventListener('scroll', tell, { passive: true });
    tell();
    return () => {
      watch.disconnect();
      at.removeEventListener('scroll', tell);
    };
  }, []);
  return (
    <div ref={box} class={`table-wrap${more ? ` ${more}` : ''}`} {...(height ? { style: { height: `${height}px` } } : {})}>
      {children}
    </div>
  );
}
