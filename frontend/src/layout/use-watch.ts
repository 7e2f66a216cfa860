/** Polls a list while something in it is under way, and for a while after somebody set something going. */
import { useCallback, useRef } from 'react';

const POLL_MS = 2000;
const AFTERWARDS_MS = 12_000; // a state machine may take a moment before it shows

export function useWatch<T>(isUnderWay: (item: T) => boolean) {
  const until = useRef(0);
  const begin = useCallback(() => {
    until.current = Date.now() + AFTERWARDS_MS;
  }, []);
  const interval = useCallback(
    (query: { state: { data?: T[] } }): number | false =>
      Date.now() < until.current || (query.state.data ?? []).some(isUnderWay) ? POLL_MS : false,
    [isUnderWay],
  );
  return { begin, interval };
}
