/** Light, dark or as the system says; remembered in this browser. */
import { applyMode, disableMotion, Mode } from '@cloudscape-design/global-styles';
import { useSyncExternalStore } from 'react';

export type Theme = 'light' | 'dark' | 'system';
const KEY = 'lisa.theme';
const systemDark = (): MediaQueryList => window.matchMedia('(prefers-color-scheme: dark)');
const listeners = new Set<() => void>();

export function chosenTheme(): Theme {
  const saved = localStorage.getItem(KEY);
  return saved === 'light' || saved === 'dark' ? saved : 'system';
}

export function chooseTheme(theme: Theme): void {
  localStorage.setItem(KEY, theme);
  draw();
  for (const listener of listeners) listener();
}

/** Draws the theme now, and again whenever the system changes its mind. */
export function startTheme(): void {
  draw();
  systemDark().addEventListener('change', draw);
  const still = window.matchMedia('(prefers-reduced-motion: reduce)');
  disableMotion(still.matches);
  still.addEventListener('change', () => disableMotion(still.matches));
}

export function useTheme(): Theme {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, chosenTheme);
}

function draw(): void {
  const theme = chosenTheme();
  const dark = theme === 'dark' || (theme === 'system' && systemDark().matches);
  applyMode(dark ? Mode.Dark : Mode.Light);
  document.documentElement.style.colorScheme = dark ? 'dark' : 'light';
}
