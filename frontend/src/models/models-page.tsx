/** The models one may use; admins add, change, stop and delete them. */
import Badge from '@cloudscape-design/components/badge';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import Cards from '@cloudscape-design/components/cards';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import TextFilter from '@cloudscape-design/components/text-filter';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { deleteModel, listModels, updateModel } from '../api/models';
import type { Model, ModelStatus } from '../api/types';
import { Confirm } from '../layout/confirm';
import { groupsText } from '../layout/groups-field';
import { useNotices } from '../layout/notices';
import { Page } from '../layout/page';
import { Empty, Listed } from '../layout/page-states';
import { State, type StateWords } from '../layout/state';
import { useWatch } from '../layout/use-watch';
import { useServices } from '../services';
import { ModelDialog } from './model-dialog';
import { RoutingFacts } from './routing-facts';

const STATUS: Record<ModelStatus, StateWords> = {
  Creating: { type: 'in-progress', text: 'Creating' },
  InService: { type: 'success', text: 'In service' },
  Starting: { type: 'in-progress', text: 'Starting' },
  Stopping: { type: 'in-progress', text: 'Stopping' },
  Stopped: { type: 'stopped', text: 'Disabled' },
  Updating: { type: 'in-progress', text: 'Updating' },
  Deleting: { type: 'in-progress', text: 'Deleting' },
  Failed: { type: 'error', text: 'Failed' },
};
const TYPE_NAMES = { textgen: 'Text generation', embedding: 'Embedding', imagegen: 'Image generation', videogen: 'Video generation' };
const UNDER_WAY = new Set<ModelStatus>(['Creating', 'Starting', 'Stopping', 'Updating', 'Deleting']);
const isUnderWay = (model: Model): boolean => UNDER_WAY.has(model.status);

type Dialog = { kind: 'create' } | { kind: 'edit' | 'delete'; model: Model };

export default function ModelsPage() {
  const { person } = useServices();
  const client = useQueryClient();
  const notices = useNotices();
  const watch = useWatch(isUnderWay);
  const models = useQuery({ queryKey: ['models'], queryFn: ({ signal }) => listModels(signal), refetchInterval: watch.interval });
  const [filter, setFilter] = useState('');
  const [dialog, setDialog] = useState<Dialog | null>(null);

  const refresh = () => {
    watch.begin();
    return client.invalidateQueries({ queryKey: ['models'] });
  };
  const toggle = async (model: Model) => {
    try {
      await updateModel(model.modelId, { enabled: model.status === 'Stopped' });
      await refresh();
    } catch (error) {
      notices.fail(error, `${model.modelId} was not changed`);
    }
  };
  const act = (id: string, model: Model) => (id === 'toggle' ? void toggle(model) : setDialog({ kind: id as 'edit' | 'delete', model }));

  return (
    <Page title="Models" description="Language and embedding models that you may use here and through the API.">
      <Listed of={models} what="the models">
        {(all) => {
          const shown = all.filter((model) => matches(model, filter)).sort((a, b) => a.modelId.localeCompare(b.modelId));
          return (
            <Cards
              items={shown}
              trackBy="modelId"
              cardsPerRow={[{ cards: 1 }, { minWidth: 620, cards: 2 }, { minWidth: 1000, cards: 3 }]}
              ariaLabels={{ itemSelectionLabel: (_, model) => model.modelId, selectionGroupLabel: 'Models' }}
              header={
                <Header
                  counter={`(${all.length})`}
                  actions={
                    person.isAdmin && (
                      <Button variant="primary" onClick={() => setDialog({ kind: 'create' })}>
                        Add model
                      </Button>
                    )
                  }
                >
                  All models
                </Header>
              }
              filter={
                all.length > 5 && (
                  <TextFilter
                    filteringText={filter}
                    filteringPlaceholder="Find a model"
                    filteringAriaLabel="Find a model"
                    countText={`${shown.length} found`}
                    onChange={({ detail }) => setFilter(detail.filteringText)}
                  />
                )
              }
              empty={
                <Empty title={filter ? 'No model matches.' : 'There are no models yet.'}>
                  {filter || person.isAdmin ? undefined : 'Ask an administrator to add one, or for access to one.'}
                </Empty>
              }
              cardDefinition={{
                header: (model) => (
                  <Header
                    variant="h3"
                    actions={person.isAdmin && <ModelActions model={model} onAct={(id) => act(id, model)} />}
                  >
                    <span className="wrap">{model.modelId}</span>
                  </Header>
                ),
                sections: [
                  { id: 'status', content: (model) => <State is={STATUS[model.status]} reason={model.failureReason} /> },
                  { id: 'description', content: (model) => <Box color="text-body-secondary">{model.modelDescription || 'No description.'}</Box> },
                  {
                    id: 'facts',
                    content: (model) => (
                      <SpaceBetween direction="horizontal" size="xs">
                        <Badge color="blue">{TYPE_NAMES[model.modelType]}</Badge>
                        {model.streaming && <Badge>Streaming</Badge>}
                        {model.contextWindow ? <Badge>{model.contextWindow.toLocaleString('en')} tokens</Badge> : null}
                        {(model.features ?? []).map((feature) => (
                          <Badge key={feature.name}>{feature.name}</Badge>
                        ))}
                      </SpaceBetween>
                    ),
                  },
                  {
                    id: 'name',
                    header: 'Provider model',
                    content: (model) => <span className="wrap">{(model.deployments ?? []).length > 0 ? 'Those of its deployments' : model.modelName}</span>,
                  },
                  { id: 'groups', header: 'Groups', content: (model) => groupsText(model.allowedGroups) },
                  { id: 'routing', content: (model) => <RoutingFacts model={model} /> },
                ],
              }}
            />
          );
        }}
      </Listed>
      {dialog?.kind === 'create' && <ModelDialog models={models.data ?? []} onDone={refresh} onClose={() => setDialog(null)} />}
      {dialog?.kind === 'edit' && <ModelDialog model={dialog.model} models={models.data ?? []} onDone={refresh} onClose={() => setDialog(null)} />}
      {dialog?.kind === 'delete' && (
        <Confirm
          title="Delete this model?"
          onClose={() => setDialog(null)}
          onConfirm={async () => {
            await deleteModel(dialog.model.modelId);
            await refresh();
          }}
        >
          Nobody will be able to use <b>{dialog.model.modelId}</b> any more. Chats with it stay readable.
        </Confirm>
      )}
    </Page>
  );
}

function ModelActions({ model, onAct }: { model: Model; onAct: (id: string) => void }) {
  const settled = model.status === 'InService' || model.status === 'Stopped';
  return (
    <ButtonDropdown
      variant="icon"
      expandToViewport
      ariaLabel={`Actions for ${model.modelId}`}
      items={[
        { id: 'edit', text: 'Edit', disabled: !settled },
        { id: 'toggle', text: model.status === 'Stopped' ? 'Enable' : 'Disable', disabled: !settled },
        { id: 'delete', text: 'Delete', disabled: model.status === 'Deleting' },
      ]}
      onItemClick={({ detail }) => onAct(detail.id)}
    />
  );
}

function matches(model: Model, filter: string): boolean {
  return `${model.modelId} ${model.modelName} ${model.modelDescription ?? ''}`.toLowerCase().includes(filter.trim().toLowerCase());
}
