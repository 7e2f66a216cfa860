/** The state of a thing, drawn the same way everywhere: an icon, a word, and why it failed. */
import Box from '@cloudscape-design/components/box';
import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';

export interface StateWords {
  type: StatusIndicatorProps.Type;
  text: string;
}

export function State({ is, reason }: { is: StateWords; reason?: string | null | false }) {
  return (
    <>
      <StatusIndicator type={is.type}>{is.text}</StatusIndicator>
      {reason && <Box color="text-status-error">{reason}</Box>}
    </>
  );
}
