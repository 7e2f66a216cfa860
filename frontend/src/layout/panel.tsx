/** The side panel: any page may show one thing in it, until somebody closes it or goes elsewhere. */
import { createContext, useContext, type ReactNode } from 'react';

export interface PanelContent {
  title: string;
  content: ReactNode;
}

type Show = (content: PanelContent | null) => void;

export const PanelContext = createContext<Show>(() => undefined);
export const useShowPanel = (): Show => useContext(PanelContext);
