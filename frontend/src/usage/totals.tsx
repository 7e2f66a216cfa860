/** What a period comes to: calls, tokens, money. */
import Box from '@cloudscape-design/components/box';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import type { Totals } from '../api/types';
import { count, usd } from './numbers';

export function TotalsView({ totals }: { totals: Totals }) {
  const pair = (label: string, value: string) => ({
    label,
    value: (
      <Box fontSize="heading-xl" fontWeight="bold">
        {value}
      </Box>
    ),
  });
  const notes = notesOf(totals);
  return (
    <SpaceBetween size="xs">
      <KeyValuePairs
        columns={4}
        minColumnWidth={130}
        items={[
          pair('Requests', count(totals.requests)),
          pair('Tokens in', count(totals.promptTokens)),
          pair('Tokens out', count(totals.completionTokens)),
          pair('Cost', usd(totals.costUsd)),
        ]}
      />
      {notes && (
        <Box variant="small" color="text-body-secondary">
          {notes}
        </Box>
      )}
    </SpaceBetween>
  );
}

function notesOf({ cachedTokens, estimatedRequests }: Totals): string {
  return [
    cachedTokens > 0 ? `${count(cachedTokens)} of the tokens in came from a provider's cache.` : '',
    estimatedRequests > 0 ? `Of ${count(estimatedRequests)} ${estimatedRequests === 1 ? 'request' : 'requests'} the tokens are estimated: the model did not tell them.` : '',
  ]
    .filter(Boolean)
    .join(' ');
}
