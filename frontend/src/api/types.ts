/** Names for what the API sends and takes; the control plane's shapes are generated from its OpenAPI document (`npm run types`). */
import type { components } from './openapi';

type Schemas = components['schemas'];
/** A request needs only what has no default. */
type Request<Name extends keyof Schemas, Required extends keyof Schemas[Name]> = Pick<Schemas[Name], Required> & Partial<Schemas[Name]>;

/** Words for a failure. */
export interface Problem {
  title: string;
  detail: string;
  requestId?: string;
  /** ISO 8601: before this moment trying again is refused for certain. */
  retryAt?: string;
  /** A page that explains it or lets one go on. */
  help?: { text: string; href: string };
}

export type Model = Schemas['Model'];
export type ModelType = Schemas['ModelType'];
export type ModelStatus = Schemas['ModelStatus'];
export type HostingType = Schemas['HostingType'];
export type CreateModel = Request<'CreateModelRequest', 'modelId' | 'modelType'>;
export type UpdateModel = Schemas['UpdateModelRequest'];
export type GuardrailConfig = Schemas['GuardrailConfig'];
export type GuardrailMode = Schemas['GuardrailMode'];

export type Repository = Schemas['Repository'];
export type RepositoryStatus = Schemas['RepositoryStatus'];
export type CreateRepository = Request<'CreateRepositoryRequest', 'repositoryId' | 'type'>;

export type Collection = Schemas['Collection'];
export type CollectionStatus = Schemas['CollectionStatus'];
export type CollectionPage = Schemas['CollectionPage'];
export type CreateCollection = Request<'CollectionRequest', 'name'>;

export type LibraryDocument = Schemas['Document'];
export type DocumentStatus = Schemas['DocumentStatus'];
export type IngestionStage = Schemas['IngestionStage'];
export type DocumentKey = Schemas['LastDocument'];
export type DocumentPage = Schemas['DocumentPage'];
export type Job = Schemas['Job'];
/** What `bulk`, `retry` and a document's deletion answer per document. */
export type StartedJob = Schemas['JobStarted'];

export interface PresignedPost {
  url: string;
  fields: Record<string, string>;
}

/** Serve's, which is not in the control plane's document. */
export interface Citation {
  number: number;
  documentId: string;
  documentName: string;
  source: string;
  repositoryId: string;
  collectionId: string;
  page?: number | null;
  headings?: string[] | null;
  start?: number;
  end?: number;
  text: string;
  score?: number | null;
}

export type SessionSummary = Schemas['SessionSummary'];

/** As this page and the original write it; the API keeps any object. */
export interface StoredMessage {
  type: 'human' | 'ai' | 'system' | 'tool';
  content: string | { type: string; text?: string }[];
  metadata?: Record<string, unknown> | null;
  usage?: { promptTokens?: number; completionTokens?: number; responseTime?: number } | null;
}

export interface SessionConfiguration {
  selectedModel?: { modelId: string } | null;
  ragConfig?: {
    repositoryId?: string;
    repositoryType?: string;
    embeddingModel?: { modelName: string };
    collection?: { collectionId: string; name: string };
  } | null;
  sessionConfiguration?: { ragTopK?: number; chatHistoryBufferSize?: number; streaming?: boolean } | null;
}

export interface StoredSession {
  sessionId: string;
  name?: string | null;
  history: StoredMessage[];
  configuration?: SessionConfiguration | null;
}

export type ApiToken = Schemas['TokenInfo'];
export type CreatedToken = Schemas['CreatedToken'];

export type SystemBanner = Schemas['SystemBanner'];
export type GlobalConfiguration = Partial<Schemas['Configuration']>;

export type Totals = Schemas['Totals'];
export type DayTotals = Schemas['DayTotals'];
export type SubjectTotals = Schemas['SubjectTotals'];
export type SubjectUsage = Schemas['SubjectUsage'];
export type QuotaStatus = Schemas['QuotaStatus'];
export type UsageList = Schemas['UsageList'];
export type UsageKind = Schemas['ListedKind'];
/** `value`: 2026-11 of a month, 2026-11-23 of a day, in UTC. */
export interface UsagePeriod {
  kind: Schemas['Period'];
  value: string;
}

export type LimitView = Schemas['LimitView'];
export type LimitKind = Schemas['LimitKind'];
export type PutLimit = Request<'PutLimitRequest', never>;
