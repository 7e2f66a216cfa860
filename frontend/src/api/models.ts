import { request, segment } from './client';
import type { CreateModel, Model, UpdateModel } from './types';

export const listModels = async (signal?: AbortSignal): Promise<Model[]> =>
  (await request<{ models: Model[] }>('GET', 'models', signal ? { signal } : {})).models;

export const createModel = async (model: CreateModel): Promise<Model> =>
  (await request<{ model: Model }>('POST', 'models', { json: model })).model;

export const updateModel = async (modelId: string, change: UpdateModel): Promise<Model> =>
  (await request<{ model: Model }>('PUT', `models/${segment(modelId)}`, { json: change })).model;

export const deleteModel = async (modelId: string): Promise<Model> =>
  (await request<{ model: Model }>('DELETE', `models/${segment(modelId)}`)).model;
