/**
 * Owns what an AWS operation means to people, from its name: AWS names operations with a verb first. A verb that is
 * not known stays unknown.
 */

import type { Access } from '../../../core/facts.ts';

export interface AwsMeaning {
  readonly access: Access;
  readonly tags: string[];
}

const READS =
  /^(?:BatchGet|Check|Describe|Detect|Discover|Estimate|Filter|Get|Head|Is|List|Lookup|Preview|Query|Read|Receive|Scan|Search|Select|Simulate|Validate|Verify|View)(?![a-z])/;
const WRITES =
  /^(?:Abort|Accept|Activate|Add|Allocate|Apply|Assign|Associate|Assume|Attach|Authorize|Batch(?:Delete|Put|Write|Update|Create|Execute)|Cancel|Change|Complete|Configure|Confirm|Converse|Copy|Create|Deactivate|Decrypt|Delete|Deploy|Deregister|Detach|Disable|Disassociate|Enable|Encrypt|Execute|Export|Failover|Generate|Import|Initiate|Invoke|Merge|Modify|Move|Promote|Publish|Purchase|Purge|Put|ReEncrypt|Reboot|Register|Reject|Release|Remove|Replace|Request|Reset|Resize|Restart|Restore|Resume|Resync|Revoke|Rotate|Run|Schedule|Send|Set|Sign|Start|Stop|Submit|Subscribe|Suspend|Swap|Tag|Terminate|Transact(?:Write)?|Transfer|Unassign|Unsubscribe|Untag|Update|Upgrade|Upload)(?![a-z])/;

/** Services whose every write is about who may do what. */
const IDENTITY = new Set([
  'iam',
  'organizations',
  'account',
  'sso',
  'sso-admin',
  'identitystore',
  'ram',
  'rolesanywhere',
]);
/** What grants access on services that do something else. */
const GRANTS =
  /(?:(?<!Lifecycle|Scaling|Retention|Backup|Routing|Cache|OriginRequest|ResponseHeaders)Policy|Permission|Acl|Grant|PublicAccessBlock|OwnershipControls|TrustAnchor|AccessEntry|AccessKey|SecurityGroup(?:In|E)gress|SnapshotAttribute|ImageAttribute)/;
const INFRASTRUCTURE = new Set([
  'autoscaling',
  'cloudformation',
  'ec2',
  'ecs',
  'eks',
  'elasticache',
  'elasticloadbalancing',
  'rds',
  'redshift',
  'route53',
]);

export function awsMeaning(service: string, operation: string | null): AwsMeaning {
  if (operation === null) return { access: 'unknown', tags: [] };
  const tags: string[] = [];
  let access: Access = READS.test(operation) ? 'read' : WRITES.test(operation) ? 'write' : 'unknown';
  const changes = access !== 'read';
  if (changes && (IDENTITY.has(service) || GRANTS.test(operation))) {
    access = 'admin';
    tags.push('privilege');
  }
  if (changes && INFRASTRUCTURE.has(service)) tags.push('infrastructure');
  if (/^(?:Batch)?(?:Delete|Terminate|Purge)|^ScheduleKeyDeletion$/.test(operation)) tags.push('delete');
  if (
    /^(?:Scan|DeleteObjects|Batch(?:Write|Delete|Execute)\w*|Export\w*|StartExportTask|ExecuteStatement)$/.test(
      operation,
    )
  )
    tags.push('bulk');
  if (handsOutSecrets(service, operation)) tags.push('secrets');
  if (
    /(?:SessionToken|FederationToken|AuthorizationToken|AccessKey|LoginProfile|ServiceSpecificCredential)/.test(
      operation,
    ) &&
    !/^(?:List|Delete)/.test(operation)
  ) {
    tags.push('credential');
  }
  if (service === 'sts' && operation.startsWith('Assume')) tags.push('credential');
  if (/^(?:InvokeModel|Converse)/.test(operation)) tags.push('inference');
  if (
    /^(?:UpdateFunctionCode|CreateDeployment|UpdateService|CreateStack|UpdateStack|ExecuteChangeSet)$/.test(
      operation,
    )
  )
    tags.push('deploy');
  return { access, tags };
}

function handsOutSecrets(service: string, operation: string): boolean {
  if (service === 'secretsmanager') return !/^(?:List|Describe)/.test(operation);
  if (service === 'ssm') return /^GetParameter/.test(operation);
  if (service === 'kms') return /^(?:Decrypt|ReEncrypt|GenerateDataKey(?:Pair)?$)/.test(operation);
  return operation === 'GetPasswordData';
}
