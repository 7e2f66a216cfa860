/** The model form as data: what is wrong with it, and what it sends. */
import type { CreateModel, HostingType, Model, ModelType, UpdateModel } from '../api/types';
import { groupsIn } from '../layout/groups-field';
import { createRoutingOf, EMPTY_ROUTING, isWrong, routingErrorsOf, routingOf, updateRoutingOf, type RoutingErrors, type RoutingForm } from './routing-form';

export interface ModelForm {
  modelId: string;
  modelName: string;
  modelType: ModelType;
  hostingType: HostingType;
  modelDescription: string;
  modelUrl: string;
  apiKey: string;
  contextWindow: string;
  streaming: boolean;
  groups: string;
  routing: RoutingForm;
}

export type ModelFormErrors = Partial<Record<Exclude<keyof ModelForm, 'routing'>, string>> & { routing?: RoutingErrors };

export const EMPTY_MODEL: ModelForm = {
  modelId: '',
  modelName: '',
  modelType: 'textgen',
  hostingType: 'third_party',
  modelDescription: '',
  modelUrl: '',
  apiKey: '',
  contextWindow: '',
  streaming: true,
  groups: '',
  routing: EMPTY_ROUTING,
};

const DEPLOYMENTS = 'lisa/deployments'; // stands for the name that a model without an endpoint does not have
const MODEL_ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;

export function formOf(model: Model): ModelForm {
  return {
    modelId: model.modelId,
    modelName: model.modelName === DEPLOYMENTS ? '' : model.modelName,
    modelType: model.modelType,
    hostingType: model.hostingType ?? 'third_party',
    modelDescription: model.modelDescription ?? '',
    modelUrl: model.modelUrl ?? '',
    apiKey: '',
    contextWindow: model.contextWindow ? String(model.contextWindow) : '',
    streaming: model.streaming,
    groups: (model.allowedGroups ?? []).join(', '),
    routing: routingOf(model),
  };
}

export function errorsOf(form: ModelForm): ModelFormErrors {
  const errors: ModelFormErrors = {};
  if (!MODEL_ID.test(form.modelId)) errors.modelId = 'Use letters, digits and . _ : - (at most 128), beginning with a letter or digit.';
  if (hasEndpoint(form)) Object.assign(errors, endpointErrorsOf(form));
  if (form.contextWindow && !/^[1-9]\d*$/.test(form.contextWindow)) errors.contextWindow = 'Give a number of tokens, or leave it empty.';
  const routing = routingErrorsOf(form.routing);
  if (isWrong(routing)) errors.routing = routing;
  return errors;
}

/** A model with deployments is answered by those. */
export const hasEndpoint = (form: ModelForm): boolean => form.routing.deployments.length === 0;

function endpointErrorsOf(form: ModelForm): ModelFormErrors {
  const errors: ModelFormErrors = {};
  if (!form.modelName.trim()) errors.modelName = 'Name the model as its provider does, for example openai/gpt-4o.';
  if (form.modelUrl && !isHttpUrl(form.modelUrl)) errors.modelUrl = 'Give a whole address, for example https://models.example.com/v1.';
  if (form.hostingType === 'internal_hosted' && !form.modelUrl) errors.modelUrl = 'An internally hosted model needs the address of its load balancer.';
  return errors;
}

export function createOf(form: ModelForm): CreateModel {
  return {
    modelId: form.modelId,
    modelType: form.modelType,
    hostingType: hasEndpoint(form) ? form.hostingType : 'third_party',
    streaming: form.modelType === 'textgen' && form.streaming,
    allowedGroups: groupsIn(form.groups),
    ...(form.modelDescription.trim() ? { modelDescription: form.modelDescription.trim() } : {}),
    ...(hasEndpoint(form) ? { modelName: form.modelName.trim() } : {}),
    ...(hasEndpoint(form) && form.modelUrl ? { modelUrl: form.modelUrl } : {}),
    ...(hasEndpoint(form) && form.apiKey ? { apiKey: form.apiKey } : {}),
    ...(form.contextWindow ? { contextWindow: Number(form.contextWindow) } : {}),
    ...createRoutingOf(form.routing),
  };
}

/** Only what differs from `model`; empty when nothing does. */
export function updateOf(form: ModelForm, model: Model): UpdateModel {
  const before = formOf(model);
  return {
    ...endpointUpdateOf(form, before),
    ...(form.modelDescription.trim() !== before.modelDescription ? { modelDescription: form.modelDescription.trim() } : {}),
    ...(form.streaming !== before.streaming ? { streaming: form.streaming } : {}),
    ...(form.contextWindow && form.contextWindow !== before.contextWindow ? { contextWindow: Number(form.contextWindow) } : {}),
    ...(groupsIn(form.groups).join() !== groupsIn(before.groups).join() ? { allowedGroups: groupsIn(form.groups) } : {}),
    ...updateRoutingOf(form.routing, model),
  };
}

function endpointUpdateOf(form: ModelForm, before: ModelForm): UpdateModel {
  if (!hasEndpoint(form)) return hasEndpoint(before) ? { modelUrl: '', apiKey: '' } : {};
  return {
    ...(form.modelName.trim() !== before.modelName ? { modelName: form.modelName.trim() } : {}),
    ...(form.modelUrl !== before.modelUrl ? { modelUrl: form.modelUrl } : {}),
    ...(form.apiKey ? { apiKey: form.apiKey } : {}),
  };
}

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}
