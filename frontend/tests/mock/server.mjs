// A pretend LISA for looking at the page without the stack: `npm run mock`, then http://127.0.0.1:8551. Never shipped.
// Sign-in is automatic; ?state of things lives in memory. MOCK_USER=user signs in without the admin group; MOCK_EMPTY=1 starts without data.
import { randomUUID } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { usageRoutes } from './usage.mjs';

const PORT = Number(process.env.PORT ?? 8551);
const BASE = `http://127.0.0.1:${PORT}/`;
const DIST = process.env.MOCK_DIST ?? fileURLToPath(new URL('../../dist/', import.meta.url));
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.woff2': 'font/woff2', '.json': 'application/json' };
const groups = process.env.MOCK_USER === 'user' ? ['user'] : ['admin', 'user', 'api'];
const full = !process.env.MOCK_EMPTY;
const HOUR = 3_600_000;
const ago = (hours) => new Date(Date.now() - hours * HOUR).toISOString();

const models = new Map(
  (full
    ? [
        { modelId: 'minilm-l6-v2', modelName: 'openai/minilm-l6-v2', modelType: 'embedding', modelDescription: 'all-MiniLM-L6-v2 on this machine: 384 dimensions.', streaming: false, status: 'InService' },
        { modelId: 'extractive', modelName: 'openai/extractive', modelType: 'textgen', modelDescription: 'Quotes the best passages word for word; it does not write.', streaming: true, status: 'InService' },
        { modelId: 'smollm2-135m', modelName: 'openai/smollm2-135m', modelType: 'textgen', modelDescription: 'A very small language model for demonstrations.', streaming: true, contextWindow: 2048, status: 'InService' },
        { modelId: 'best', modelName: 'lisa/deployments', modelType: 'textgen', modelDescription: 'Whichever of the two has room.', streaming: true, status: 'InService', deployments: [{ modelId: 'smollm2-135m', weight: 3 }, { modelId: 'claude-sonnet', weight: 1 }], fallbacks: ['extractive'], pricing: { inputCostPerToken: 1.5e-7, outputCostPerToken: 6e-7 }, maxOutputTokens: 4096, guardrailsConfig: { secrets: { guardrailName: 'No secrets', guardrailIdentifier: 'abc123def456', guardrailVersion: '2', mode: 'pre_call', allowedGroups: ['legal'], markedForDeletion: false } } },
        { modelId: 'claude-sonnet', modelName: 'bedrock/anthropic.claude-sonnet-4-20250514-v1:0', modelType: 'textgen', modelDescription: null, streaming: true, contextWindow: 200000, allowedGroups: ['research', 'legal'], status: 'Failed', failureReason: 'The provider refused the key: check apiKey.' },
      ]
    : []
  ).map((model) => [model.modelId, { features: [], allowedGroups: [], deployments: [], fallbacks: [], guardrailsConfig: {}, hostingType: 'third_party', ...model }]),
);
const repositories = new Map((full ? [{ repositoryId: 'demo', repositoryName: 'Demo handbook', description: 'A sample of documents to ask about.', embeddingModelId: 'minilm-l6-v2', type: 'pgvector', allowedGroups: [], status: 'CREATE_COMPLETE' }] : []).map((each) => [each.repositoryId, each]));
const collections = new Map([['demo', [{ collectionId: 'c1', repositoryId: 'demo', name: 'Travel rules', description: 'Where and how people travel.', embeddingModel: 'minilm-l6-v2', chunkingStrategy: { type: 'fixed', size: 512, overlap: 51 }, allowedGroups: [], status: 'ACTIVE' }]]]);
const documents = new Map();
const jobs = [];
const sessions = new Map();
const tokens = new Map();
if (full) {
  const names = [['handbook-2026.pdf', 'INGESTION_COMPLETED'], ['expenses and a rather long name of a spreadsheet that somebody exported twice.xlsx', 'INGESTION_COMPLETED'], ['locked.pdf', 'INGESTION_FAILED'], ['notes.md', 'INGESTION_IN_PROGRESS']];
  for (const [name, status] of names) {
    const id = randomUUID();
    documents.set(id, { document_id: id, repository_id: 'demo', collection_id: 'minilm-l6-v2', document_name: name, source: `s3://documents/demo/minilm-l6-v2/${name}`, username: 'admin', upload_date: Date.now() - HOUR, chunks: status === 'INGESTION_COMPLETED' ? 42 : 0, status, stage: status === 'INGESTION_IN_PROGRESS' ? 'embedding' : 'done', error_message: status === 'INGESTION_FAILED' ? 'The file is encrypted. Remove its password, then upload it again.' : null });
  }
  const titles = [['How many days of leave do I have?', 1], ['Explain reciprocal rank fusion, and say when it is better than min-max', 3], ['Draft a reply to the supplier', 26], ['SQL for monthly totals', 90], ['What changed in the travel rules?', 24 * 12], ['Compare the two offers', 24 * 70]];
  for (const [text, hours] of titles) {
    const id = randomUUID();
    sessions.set(id, { sessionId: id, name: null, history: [{ type: 'human', content: text, metadata: {} }, { type: 'ai', content: 'Of course.', metadata: { modelId: 'smollm2-135m' } }], configuration: {}, startTime: ago(hours), lastUpdated: ago(hours) });
  }
  tokens.set('t1', { tokenUUID: 't1', name: 'nightly report', username: 'admin', createdBy: 'admin', createdDate: Math.floor(Date.now() / 1000), tokenExpiration: Math.floor(Date.now() / 1000) + 90 * 86400, groups: ['admin', 'api'], isSystemToken: false, isExpired: false });
}

const PASSAGES = [
  { page: 12, headings: ['4 Leave', '4.2 Annual leave'], text: 'Every employee has 28 working days of annual leave. Days that are not taken by the end of March of the following year lapse, unless illness or a manager prevented it.' },
  { page: 13, headings: ['4 Leave', '4.3 Special leave'], text: 'Special leave of up to 3 days is granted for moving house, a wedding or a birth in the family. Ask your manager at least a week before.' },
];
const PLAIN = `Here is a function that reads a CSV file:

\`\`\`python
import csv
from pathlib import Path


def rows(path: Path) -> list[dict[str, str]]:
    """All rows of a CSV file, by the names in its first line."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))  # one dict per row
\`\`\`

Some notes:

1. \`newline=""\` leaves line ends to the **csv** module.
2. For large files, return the reader and *iterate*.

| Size | Time | Memory |
|---|---|---|
| 1 MB | 0.02 s | 4 MB |
| 100 MB | 2.1 s | 410 MB |

> Measure before you optimise.
`;
const GROUNDED = 'You have **28 working days** of annual leave [1]. Days not taken by the end of March lapse, unless illness or a manager prevented it [1].\n\nFor moving house, a wedding or a birth you get up to 3 days of special leave [2].';

const routes = [
  ['GET', /^config\.json$/, () => ({ authority: `${BASE}mock-idp`, clientId: 'page', redirectUri: BASE, scopes: 'openid email', adminGroup: 'admin', ragAdminGroup: 'rag-admin', apiGroup: 'api', groupsClaim: 'cognito:groups' })],
  ['GET', /^configuration$/, () => [{ versionId: 0, configuration: process.env.MOCK_BANNER ? { systemBanner: { isEnabled: true, text: process.env.MOCK_BANNER, textColor: '#ffffff', backgroundColor: '#037f0c' }, announcement: { isEnabled: true, message: 'Maintenance on Sunday from 8 to 9.' } } : {} }]],
  ['GET', /^models$/, () => ({ models: [...models.values()] })],
  ['POST', /^models$/, ({ json }) => {
    if (models.has(json.modelId)) return refuse(409, 'conflict', `A model ${json.modelId} exists already. Choose another id.`);
    models.set(json.modelId, { ...json, status: 'Creating' });
    setTimeout(() => (models.get(json.modelId).status = 'InService'), 3000);
    return { model: models.get(json.modelId) };
  }],
  ['PUT', /^models\/(.+)$/, ({ json, ids }) => {
    const model = models.get(ids[0]);
    const { enabled, ...rest } = json;
    Object.assign(model, rest, { status: enabled === undefined ? 'Updating' : enabled ? 'Starting' : 'Stopping' });
    setTimeout(() => (model.status = enabled === false ? 'Stopped' : 'InService'), 2500);
    return { model };
  }],
  ['DELETE', /^models\/(.+)$/, ({ ids }) => {
    models.get(ids[0]).status = 'Deleting';
    setTimeout(() => models.delete(ids[0]), 3000);
    return { model: models.get(ids[0]) };
  }],
  ['GET', /^repository$/, () => [...repositories.values()]],
  ['POST', /^repository$/, ({ json }) => {
    repositories.set(json.repositoryId, { ...json, status: 'CREATE_IN_PROGRESS' });
    setTimeout(() => (repositories.get(json.repositoryId).status = 'CREATE_COMPLETE'), 3000);
    return { status: 'success', executionArn: 'arn' };
  }],
  ['POST', /^repository\/presigned-url$/, ({ text }) => ({ response: { url: `${BASE}mock-s3`, fields: { key: `uploads/admin/${randomUUID()}/${text}` } } })],
  ['DELETE', /^repository\/([^/]+)$/, ({ ids }) => {
    repositories.get(ids[0]).status = 'DELETE_IN_PROGRESS';
    setTimeout(() => repositories.delete(ids[0]), 3000);
    return { status: 'success', executionArn: 'arn' };
  }],
  ['GET', /^repository\/([^/]+)\/collection$/, ({ ids }) => ({ collections: [{ collectionId: repositories.get(ids[0])?.embeddingModelId, repositoryId: ids[0], name: 'default', embeddingModel: 'minilm-l6-v2', status: 'ACTIVE', default: true }, ...(collections.get(ids[0]) ?? [])], hasNextPage: false })],
  ['POST', /^repository\/([^/]+)\/collection$/, ({ ids, json }) => {
    const collection = { ...json, collectionId: randomUUID(), repositoryId: ids[0], status: 'ACTIVE' };
    collections.set(ids[0], [...(collections.get(ids[0]) ?? []), collection]);
    return collection;
  }],
  ['DELETE', /^repository\/([^/]+)\/collection\/(.+)$/, ({ ids }) => {
    collections.get(ids[0]).find((each) => each.collectionId === ids[1]).status = 'DELETE_IN_PROGRESS';
    setTimeout(() => collections.set(ids[0], collections.get(ids[0]).filter((each) => each.collectionId !== ids[1])), 3000);
    return { status: 'DELETE_IN_PROGRESS' };
  }],
  ['POST', /^repository\/([^/]+)\/bulk$/, ({ ids, json }) => ({
    jobs: json.keys.map((key) => {
      const name = key.split('/').pop();
      const id = randomUUID();
      const job = { id: randomUUID(), document_id: id, document_name: name, status: 'INGESTION_PENDING', stage: 'queued', error_message: null };
      documents.set(id, { document_id: id, repository_id: ids[0], collection_id: json.collectionId ?? 'minilm-l6-v2', document_name: name, source: key, username: 'admin', upload_date: Date.now(), chunks: 0, status: 'INGESTION_PENDING', stage: 'queued' });
      jobs.unshift(job);
      proceed(job, documents.get(id));
      return { jobId: job.id, documentId: id, status: job.status, s3Path: key };
    }),
  })],
  ['POST', /^repository\/([^/]+)\/([^/]+)\/retry$/, ({ ids }) => {
    const document = documents.get(ids[1]);
    const job = { id: randomUUID(), document_id: ids[1], document_name: document.document_name };
    jobs.unshift(job);
    document.document_name = document.document_name.replace('locked', 'open');
    proceed(job, document);
    return { jobId: job.id, documentId: ids[1], status: 'INGESTION_PENDING' };
  }],
  ['GET', /^repository\/([^/]+)\/jobs$/, () => ({ jobs, hasNextPage: false })],
  ['GET', /^repository\/([^/]+)\/document$/, ({ ids, query }) => {
    const found = [...documents.values()].filter((each) => each.repository_id === ids[0] && each.collection_id === query.get('collectionId'));
    return { documents: found, totalDocuments: found.length, hasNextPage: false };
  }],
  ['DELETE', /^repository\/([^/]+)\/document$/, ({ json }) => {
    for (const id of json.documentIds) {
      documents.get(id).status = 'DELETE_IN_PROGRESS';
      setTimeout(() => documents.delete(id), 2500);
    }
    return { jobs: [] };
  }],
  ['GET', /^repository\/([^/]+)\/([^/]+)\/download$/, () => `${BASE}favicon.svg`],
  ['GET', /^repository\/([^/]+)\/([^/]+)$/, ({ ids }) => documents.get(ids[1])],
  ['GET', /^session$/, () => [...sessions.values()].map(({ history, ...rest }) => ({ ...rest, firstHumanMessage: history.find((each) => each.type === 'human')?.content ?? null }))],
  ['DELETE', /^session$/, () => (sessions.clear(), { deleted: true })],
  ['GET', /^session\/(.+)$/, ({ ids }) => sessions.get(ids[0]) ?? refuse(404, 'not_found', 'There is no such session. It may have been deleted.')],
  ['PUT', /^session\/([^/]+)$/, ({ ids, json }) => {
    const before = sessions.get(ids[0]);
    sessions.set(ids[0], { sessionId: ids[0], name: json.name ?? before?.name ?? null, history: json.messages, configuration: json.configuration, startTime: before?.startTime ?? ago(0), lastUpdated: ago(0) });
    return { message: 'Session updated successfully' };
  }],
  ['PUT', /^session\/([^/]+)\/name$/, ({ ids, json }) => ((sessions.get(ids[0]).name = json.name), { message: 'ok' })],
  ['DELETE', /^session\/(.+)$/, ({ ids }) => ({ deleted: sessions.delete(ids[0]) })],
  ['GET', /^api-tokens$/, () => ({ tokens: [...tokens.values()] })],
  ['POST', /^api-tokens$/, ({ json }) => {
    const token = { tokenUUID: randomUUID(), name: json.name, username: 'admin', createdDate: Math.floor(Date.now() / 1000), tokenExpiration: json.tokenExpiration, groups, isSystemToken: false, isExpired: false };
    tokens.set(token.tokenUUID, token);
    return { ...token, token: randomUUID().replaceAll('-', '').repeat(4) };
  }],
  ['DELETE', /^api-tokens\/(.+)$/, ({ ids }) => (tokens.delete(ids[0]), { message: 'ok' })],
  ...usageRoutes(full),
  ['GET', /^mock-idp\/\.well-known\/openid-configuration$/, () => ({ issuer: `${BASE}mock-idp`, authorization_endpoint: `${BASE}mock-idp/authorize`, token_endpoint: `${BASE}mock-idp/token`, jwks_uri: `${BASE}mock-idp/jwks` })],
  ['POST', /^mock-idp\/token$/, () => {
    const claims = { iss: `${BASE}mock-idp`, aud: 'page', sub: 'u1', 'cognito:username': 'admin', email: 'ada@example.com', 'cognito:groups': groups, iat: Math.floor(Date.now() / 1000), exp: Math.floor(Date.now() / 1000) + 3600 };
    const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const token = `${part({ alg: 'none' })}.${part(claims)}.x`;
    return { access_token: token, id_token: token, refresh_token: 'refresh', token_type: 'Bearer', expires_in: 3600 };
  }],
];

class Refusal {
  constructor(status, body) {
    Object.assign(this, { status, body });
  }
}
const refuse = (status, code, message) => new Refusal(status, { code, message, requestId: randomUUID() });

function proceed(job, document) {
  const fails = document.document_name.startsWith('locked');
  const steps = [['INGESTION_PENDING', 'queued'], ['INGESTION_IN_PROGRESS', 'parsing'], ...(fails ? [['INGESTION_FAILED', 'parsing']] : [['INGESTION_IN_PROGRESS', 'embedding'], ['INGESTION_IN_PROGRESS', 'indexing'], ['INGESTION_COMPLETED', 'done']])];
  steps.forEach(([status, stage], index) =>
    setTimeout(() => {
      const error_message = status === 'INGESTION_FAILED' ? 'The file is encrypted. Remove its password, then upload it again.' : null;
      Object.assign(job, { status, stage, error_message });
      Object.assign(document, { status, stage, error_message, chunks: status === 'INGESTION_COMPLETED' ? 17 : 0 });
    }, index * 1200),
  );
}

async function stream(chat, response) {
  const question = chat.messages.at(-1).content;
  if (question.includes('too fast') || question.includes('budget')) {
    const code = question.includes('budget') ? 'budget_exceeded' : 'rate_limit_exceeded';
    const message = code === 'budget_exceeded' ? 'Your budget of $20.00 for November 2026 is used up.' : 'You may send 60 requests per minute. Wait until the minute is over.';
    response.writeHead(429, { 'content-type': 'application/json', 'retry-after': code === 'budget_exceeded' ? '604800' : '37' }).end(JSON.stringify({ error: { message, type: 'rate_limit_error', code } }));
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const chunk = (choices, more = {}) => response.write(`data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', model: chat.model, choices, ...more })}\n\n`);
  if (chat.lisa) {
    const citations = PASSAGES.map((passage, index) => ({ number: index + 1, documentId: [...documents.keys()][0] ?? 'd', documentName: 'handbook-2026.pdf', source: 's3://documents/demo/handbook-2026.pdf', repositoryId: 'demo', collectionId: 'minilm-l6-v2', start: 0, end: 10, score: 0.9, ...passage }));
    chunk([{ index: 0, delta: { content: '' }, finish_reason: null }], { lisa: { citations } });
  }
  if (question.includes('fail')) {
    response.end(`data: ${JSON.stringify({ error: { code: 'upstream_failed', message: 'The model did not answer. Try again, or choose another model.' } })}\n\n`);
    return;
  }
  const words = (chat.lisa ? GROUNDED : question.includes('long') ? PLAIN.repeat(6) : PLAIN).match(/\s*\S+|\s+$/g);
  for (const word of words) {
    if (response.destroyed) return;
    chunk([{ index: 0, delta: { content: word }, finish_reason: null }]);
    await new Promise((resolve) => setTimeout(resolve, question.includes('slow') ? 150 : 15));
  }
  chunk([{ index: 0, delta: {}, finish_reason: 'stop' }], { usage: { prompt_tokens: 21, completion_tokens: words.length } });
  response.end('data: [DONE]\n\n');
}

createServer(async (request, response) => {
  const url = new URL(request.url, BASE);
  const path = decodeURIComponent(url.pathname.slice(1));
  const parts = [];
  for await (const part of request) parts.push(part);
  const text = Buffer.concat(parts).toString();
  if (path === 'mock-idp/authorize') {
    const back = new URL(url.searchParams.get('redirect_uri'));
    back.searchParams.set('code', 'c0de');
    back.searchParams.set('state', url.searchParams.get('state'));
    response.writeHead(302, { location: back.toString() }).end();
    return;
  }
  if (path === 'mock-s3') return void setTimeout(() => response.writeHead(204).end(), 600);
  if (path === 'v1/chat/completions') return void stream(JSON.parse(text), response);
  for (const [method, pattern, answer] of routes) {
    const match = request.method === method && pattern.exec(path);
    if (!match) continue;
    if (process.env.MOCK_FAIL && path.startsWith(process.env.MOCK_FAIL)) {
      response.writeHead(500, { 'content-type': 'application/json' }).end(JSON.stringify({ code: 'internal', message: 'Something went wrong on our side. Try again.', requestId: randomUUID() }));
      return;
    }
    const json = request.headers['content-type']?.includes('json') && text ? JSON.parse(text) : undefined;
    const body = answer({ json, text, ids: match.slice(1), query: url.searchParams });
    const refused = body instanceof Refusal;
    response.writeHead(refused ? body.status : 200, { 'content-type': 'application/json' }).end(JSON.stringify(refused ? body.body : body));
    return;
  }
  const file = join(DIST, path === '' ? 'index.html' : path);
  if (!file.startsWith(DIST) || !existsSync(file)) return void response.writeHead(404).end('{"message":"No such route."}');
  response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' });
  createReadStream(file).pipe(response);
}).listen(PORT, '127.0.0.1', () => console.log(BASE));
