/** Users, groups, API keys, models or sessions with what each has used in a period. */
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import Link from '@cloudscape-design/components/link';
import Pagination from '@cloudscape-design/components/pagination';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table, { type TableProps } from '@cloudscape-design/components/table';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { problemOf } from '../api/errors';
import type { LimitKind, SubjectTotals, UsageKind, UsagePeriod } from '../api/types';
import { listUsage } from '../api/usage';
import { Empty, Loading, ProblemBox } from '../layout/page-states';
import { useKeyNames } from './key-names';
import { count, usd } from './numbers';
import { periodName } from './period';
import { keyName } from './quota';
import { sorted, type SortField, type Sorting } from './sorting';
import { TotalsView } from './totals';

const ROWS = 25;
const MAX_PAGES = 100; // of 100 rows each
const HEADS: Record<UsageKind, { title: string; column: string; note?: string }> = {
  users: { title: 'Users', column: 'User' },
  groups: { title: 'Groups', column: 'Group', note: 'A request counts for each group of its user, so that the groups together may show more than there was.' },
  keys: { title: 'API keys', column: 'API key', note: 'Requests of the chat page use no API key.' },
  models: { title: 'Models', column: 'Model' },
  sessions: { title: 'Sessions', column: 'Session', note: 'Requests outside of the chat page have no session, unless a program names one.' },
};
const LIMITED: Partial<Record<UsageKind, LimitKind>> = { users: 'user', groups: 'group', keys: 'key' };

interface Props {
  kind: UsageKind;
  period: UsagePeriod;
  /** Absent while it is not known which limits there are. */
  onLimit?: (kind: LimitKind, name: string) => void;
}

export function UsageTable({ kind, period, onLimit }: Props) {
  const [sorting, setSorting] = useState<Sorting>({ field: 'costUsd', descending: true });
  const [page, setPage] = useState(1);
  const [loadingAll, setLoadingAll] = useState(false);
  const keys = useKeyNames(kind === 'keys');
  const { title, column, note } = HEADS[kind];
  const usage = useInfiniteQuery({
    queryKey: ['usage', kind, period],
    queryFn: ({ pageParam }) => listUsage(kind, period, pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.nextToken ?? undefined,
  });
  if (usage.error && !usage.data) return <ProblemBox problem={problemOf(usage.error)} onRetry={() => void usage.refetch()} />;
  if (usage.isPending) return <Loading what="Loading the usage" />;

  const nameOf = (item: SubjectTotals): string => (kind === 'keys' ? keyName(item.name, keys) : item.name);
  const items = sorted(usage.data.pages.flatMap((each) => each.items), sorting, nameOf);
  const loadAll = async () => {
    setLoadingAll(true);
    let more = usage.hasNextPage;
    for (let fetched = 0; more && fetched < MAX_PAGES; fetched += 1) {
      const result = await usage.fetchNextPage();
      more = result.hasNextPage && !result.isError;
    }
    setLoadingAll(false);
  };
  const show = (next: number) => {
    if (next * ROWS > items.length && usage.hasNextPage) void usage.fetchNextPage();
    setPage(next);
  };
  const limitKind = LIMITED[kind];
  const numeric = (field: Exclude<SortField, 'name'>, header: string, text: (value: number) => string): TableProps.ColumnDefinition<SubjectTotals> => ({
    id: field,
    header,
    sortingField: field,
    cell: (item) => text(item[field]),
    minWidth: 110,
  });
  const columns: TableProps.ColumnDefinition<SubjectTotals>[] = [
    { id: 'name', header: column, sortingField: 'name', isRowHeader: true, cell: (item) => <Name kind={kind} name={item.name} text={nameOf(item)} period={period} />, minWidth: 160 },
    numeric('requests', 'Requests', count),
    numeric('promptTokens', 'Tokens in', count),
    numeric('completionTokens', 'Tokens out', count),
    numeric('costUsd', 'Cost', usd),
    ...(limitKind
      ? [
          {
            id: 'actions',
            header: 'Actions',
            minWidth: 110,
            cell: (item: SubjectTotals) => (
              <Button variant="inline-link" ariaLabel={`Limit ${nameOf(item)}`} disabled={!onLimit} onClick={() => onLimit?.(limitKind, item.name)}>
                Limit
              </Button>
            ),
          },
        ]
      : []),
  ];
  return (
    <SpaceBetween size="l">
      <Container header={<Header variant="h2">Everybody, {periodName(period.value)}</Header>}>
        <TotalsView totals={usage.data.pages[0]?.totals ?? NOTHING} />
      </Container>
      {usage.error ? <ProblemBox problem={problemOf(usage.error)} onRetry={() => void usage.refetch()} /> : null}
      <Table
        items={items.slice((page - 1) * ROWS, page * ROWS)}
        trackBy="subject"
        wrapLines
        loading={usage.isFetchingNextPage && (page - 1) * ROWS >= items.length}
        loadingText="Loading more"
        ariaLabels={{ tableLabel: `${title}, ${periodName(period.value)}` }}
        sortingColumn={columns.find((each) => each.id === sorting.field)}
        sortingDescending={sorting.descending}
        onSortingChange={({ detail }) => {
          setSorting({ field: detail.sortingColumn.sortingField as SortField, descending: detail.isDescending ?? false });
          setPage(1);
        }}
        header={
          <Header
            variant="h2"
            counter={`(${items.length}${usage.hasNextPage ? '+' : ''})`}
            description={note}
            actions={<Button iconName="refresh" ariaLabel="Refresh" loading={usage.isRefetching && !usage.isFetchingNextPage} onClick={() => void usage.refetch()} />}
          >
            {title}
          </Header>
        }
        pagination={
          (items.length > ROWS || usage.hasNextPage) && (
            <Pagination
              currentPageIndex={page}
              pagesCount={Math.max(1, Math.ceil(items.length / ROWS))}
              openEnd={usage.hasNextPage}
              ariaLabels={{ nextPageLabel: 'Next page', previousPageLabel: 'Previous page', pageLabel: (number) => `Page ${number}`, paginationLabel: 'Pages' }}
              onChange={({ detail }) => show(detail.currentPageIndex)}
            />
          )
        }
        empty={<Empty title={`Nothing was used in ${periodName(period.value)}.`}>Choose another period. New requests show here within a minute or so.</Empty>}
        footer={
          usage.hasNextPage && (
            <Box textAlign="center">
              The order is that of the {count(items.length)} loaded so far.{' '}
              <Button variant="inline-link" loading={loadingAll} onClick={() => void loadAll()}>
                Load all
              </Button>
            </Box>
          )
        }
        columnDefinitions={columns}
      />
    </SpaceBetween>
  );
}

const NOTHING = { requests: 0, promptTokens: 0, completionTokens: 0, cachedTokens: 0, costUsd: 0, estimatedRequests: 0 };

function Name({ kind, name, text, period }: { kind: UsageKind; name: string; text: string; period: UsagePeriod }) {
  if (kind !== 'users') return <span className="wrap">{text}</span>;
  return <Link href={`#/usage/${encodeURIComponent(name)}?period=${period.value}`}>{text}</Link>;
}
