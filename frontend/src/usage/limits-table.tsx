/** Every limit that is set. */
import Button from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import Header from '@cloudscape-design/components/header';
import Table from '@cloudscape-design/components/table';
import type { UseQueryResult } from '@tanstack/react-query';
import type { LimitView } from '../api/types';
import { Empty, Listed } from '../layout/page-states';
import { count, usd } from './numbers';
import { subjectName } from './quota';

const NONE = '-';

interface Props {
  limits: UseQueryResult<LimitView[]>;
  keys: ReadonlyMap<string, string>;
  onAdd: () => void;
  onEdit: (limit: LimitView) => void;
  onRemove: (limit: LimitView) => void;
}

export function LimitsTable({ limits, keys, onAdd, onEdit, onRemove }: Props) {
  const name = (limit: LimitView): string => subjectName(limit.subject, { keys });
  const number = (value?: number | null): string => (value === null || value === undefined ? NONE : count(value));
  return (
    <Listed of={limits} what="the limits">
      {(all) => (
        <Table
          items={all}
          trackBy="subject"
          wrapLines
          ariaLabels={{ tableLabel: 'Limits' }}
          header={
            <Header
              variant="h2"
              counter={`(${all.length})`}
              description="A limit of one's own replaces the default as a whole; limits of groups hold besides. Changes hold within seconds."
              actions={
                <Button variant="primary" onClick={onAdd}>
                  Add limit
                </Button>
              }
            >
              Limits
            </Header>
          }
          empty={
            <Empty title="There are no limits yet." action={<Button onClick={onAdd}>Add limit</Button>}>
              Everybody may use as much as the models give.
            </Empty>
          }
          columnDefinitions={[
            { id: 'subject', header: 'Applies to', isRowHeader: true, cell: (limit) => <span className="wrap">{name(limit)}</span>, minWidth: 180 },
            { id: 'requests', header: 'Requests per minute', cell: (limit) => number(limit.requestsPerMinute), minWidth: 120 },
            { id: 'tokens', header: 'Tokens per minute', cell: (limit) => number(limit.tokensPerMinute), minWidth: 120 },
            { id: 'budget', header: 'Budget', cell: (limit) => (typeof limit.budgetUsd === 'number' ? `${usd(limit.budgetUsd)} a ${limit.budgetPeriod}` : NONE), minWidth: 140 },
            {
              id: 'actions',
              header: 'Actions',
              minWidth: 80,
              cell: (limit) => (
                <ButtonDropdown
                  variant="inline-icon"
                  expandToViewport
                  ariaLabel={`Actions for ${name(limit)}`}
                  items={[
                    { id: 'edit', text: 'Edit' },
                    { id: 'remove', text: 'Remove' },
                  ]}
                  onItemClick={({ detail }) => (detail.id === 'edit' ? onEdit(limit) : onRemove(limit))}
                />
              ),
            },
          ]}
        />
      )}
    </Listed>
  );
}
