/**
 * Owns S3's REST protocol, where the sub-resource in the query decides the operation. Must never take a
 * sub-resource that it does not know for none.
 */

import type { ApiRequest } from './recogniser.ts';

export interface S3Call {
  readonly operation: string | null;
  /** `bucket` or `bucket/key`; null at the service's root. */
  readonly resource: string | null;
}

/** Parameters that refine an operation without choosing it. */
const REFINEMENTS =
  /^(?:x-id|x-amz-.*|response-.*|prefix|delimiter|max-keys|max-uploads|max-parts|max-buckets|marker|key-marker|version-id-marker|upload-id-marker|part-number-marker|continuation-token|start-after|encoding-type|fetch-owner|versionid|partnumber|bucket-region|list-type)$/i;

/** What each sub-resource is called in operation names, for buckets. */
const BUCKET_PARTS: Readonly<Record<string, string>> = {
  accelerate: 'AccelerateConfiguration',
  acl: 'Acl',
  analytics: 'AnalyticsConfiguration',
  cors: 'Cors',
  encryption: 'Encryption',
  inventory: 'InventoryConfiguration',
  lifecycle: 'LifecycleConfiguration',
  location: 'Location',
  logging: 'Logging',
  metrics: 'MetricsConfiguration',
  notification: 'NotificationConfiguration',
  ownershipControls: 'OwnershipControls',
  policy: 'Policy',
  policyStatus: 'PolicyStatus',
  replication: 'Replication',
  requestPayment: 'RequestPayment',
  tagging: 'Tagging',
  versioning: 'Versioning',
  website: 'Website',
};
const OBJECT_PARTS: Readonly<Record<string, string>> = {
  acl: 'Acl',
  attributes: 'Attributes',
  'legal-hold': 'LegalHold',
  retention: 'Retention',
  tagging: 'Tagging',
  torrent: 'Torrent',
};
const VERBS: Readonly<Record<string, string>> = { GET: 'Get', HEAD: 'Get', PUT: 'Put', DELETE: 'Delete' };

/** @param hostBucket The bucket of a virtual-hosted request. */
export function s3Operation(request: ApiRequest, hostBucket: string | null): S3Call {
  const path = request.segments.join('/');
  const slash = path.indexOf('/');
  const bucket = hostBucket ?? (slash < 0 ? path : path.slice(0, slash));
  const key = hostBucket === null ? (slash < 0 ? '' : path.slice(slash + 1)) : path;
  const parts = Object.keys(request.query).filter((name) => !REFINEMENTS.test(name));
  const resource = bucket === '' ? null : key === '' ? bucket : `${bucket}/${key}`;
  // Two sub-resources: which one counts is S3's secret.
  const part = parts.length > 1 ? null : (parts[0] ?? '');
  if (part === null) return { operation: null, resource };
  if (bucket === '')
    return { operation: part === '' && request.method === 'GET' ? 'ListBuckets' : null, resource };
  return { operation: key === '' ? ofBucket(request, part) : ofObject(request, part), resource };
}

function ofBucket(request: ApiRequest, part: string): string | null {
  const { method } = request;
  switch (part) {
    case '':
      if (method === 'GET') return request.query['list-type']?.[0] === '2' ? 'ListObjectsV2' : 'ListObjects';
      return { HEAD: 'HeadBucket', PUT: 'CreateBucket', DELETE: 'DeleteBucket' }[method] ?? null;
    case 'delete':
      return method === 'POST' ? 'DeleteObjects' : null;
    case 'versions':
      return method === 'GET' ? 'ListObjectVersions' : null;
    case 'uploads':
      return method === 'GET' ? 'ListMultipartUploads' : null;
    case 'publicAccessBlock':
      return named(method, '', 'PublicAccessBlock');
    case 'object-lock':
      return named(method, 'Object', 'LockConfiguration');
    default: {
      const name = Object.hasOwn(BUCKET_PARTS, part) ? BUCKET_PARTS[part] : undefined;
      return name === undefined ? null : named(method, 'Bucket', name);
    }
  }
}

function ofObject(request: ApiRequest, part: string): string | null {
  const { method } = request;
  const copies = request.header('x-amz-copy-source') !== null;
  switch (part) {
    case '':
      if (method === 'PUT') return copies ? 'CopyObject' : 'PutObject';
      return { GET: 'GetObject', HEAD: 'HeadObject', DELETE: 'DeleteObject' }[method] ?? null;
    case 'uploads':
      return method === 'POST' ? 'CreateMultipartUpload' : null;
    case 'uploadId':
      if (method === 'PUT') return copies ? 'UploadPartCopy' : 'UploadPart';
      return (
        { GET: 'ListParts', POST: 'CompleteMultipartUpload', DELETE: 'AbortMultipartUpload' }[method] ?? null
      );
    case 'restore':
      return method === 'POST' ? 'RestoreObject' : null;
    default: {
      const name = Object.hasOwn(OBJECT_PARTS, part) ? OBJECT_PARTS[part] : undefined;
      return name === undefined ? null : named(method, 'Object', name);
    }
  }
}

function named(method: string, of: string, part: string): string | null {
  const verb = VERBS[method];
  return verb === undefined ? null : `${verb}${of}${part}`;
}
