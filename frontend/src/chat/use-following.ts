/** Keeps the newest words in sight while an answer grows, unless its reader has scrolled away. */
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';

const NEAR_PX = 120;

const isAtEnd = (): boolean => {
  const page = document.documentElement;
  return page.scrollHeight - window.innerHeight - window.scrollY < NEAR_PX;
};

export function useFollowing(sessionId: string, content: unknown): { away: boolean; resume: () => void } {
  const follows = useRef(true);
  const [away, setAway] = useState(false);
  const resume = useCallback(() => {
    follows.current = true;
    setAway(false);
    window.scrollTo({ top: document.documentElement.scrollHeight });
  }, []);
  useEffect(() => {
    const scrolled = () => {
      follows.current = isAtEnd();
      setAway(!follows.current);
    };
    window.addEventListener('scroll', scrolled, { passive: true });
    return () => window.removeEventListener('scroll', scrolled);
  }, []);
  useEffect(() => {
    follows.current = true;
  }, [sessionId]);
  useLayoutEffect(() => {
    if (follows.current) window.scrollTo({ top: document.documentElement.scrollHeight });
  }, [content]);
  return { away, resume };
}
