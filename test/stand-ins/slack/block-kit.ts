/**
 * Owns the rules of Block Kit, as far as messages use them: what Slack would answer `invalid_blocks` to. Stricter than
 * Slack where its documentation is: a key that is not documented is an error, not ignored.
 */

import { isObject, type JsonObject } from './json.ts';

/** What all texts of a message may have together: measured by users of Slack, who were refused at 11,341. */
export const TEXT_IN_ALL = 11_000;

/** Problems in the form of Slack's `response_metadata.messages`; empty when the blocks are good. */
export function problemsOf(blocks: readonly unknown[]): readonly string[] {
  const problems: string[] = [];
  const report: Report = (at, what) => problems.push(`[ERROR] ${what} [json-pointer:${at}]`);
  if (blocks.length > 50) report('/blocks', 'no more than 50 items allowed');
  const ids = new Set<string>();
  blocks.forEach((block, index) => {
    const at = `/blocks/${index}`;
    if (!isObject(block)) {
      report(at, 'must be an object');
      return;
    }
    const check = BLOCKS[String(block.type)];
    if (!check) {
      report(at, `unsupported type: ${String(block.type)}`);
      return;
    }
    check(block, at, report);
    unique(block.block_id, 'block_id', `${at}/block_id`, ids, report);
  });
  const actionIds = new Set<string>();
  blocks.filter(isObject).forEach((block, index) => {
    if (block.type !== 'actions' || !Array.isArray(block.elements)) return;
    for (const element of block.elements.filter(isObject))
      unique(element.action_id, 'action_id', `/blocks/${index}/elements`, actionIds, report);
  });
  return problems;
}

/** Characters of every text in `value`, however deep. */
export function textLength(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((sum: number, each) => sum + textLength(each), 0);
  if (!isObject(value)) return 0;
  return Object.entries(value).reduce(
    (sum, [key, each]) => sum + (key === 'text' && typeof each === 'string' ? each.length : textLength(each)),
    0,
  );
}

type Report = (at: string, what: string) => void;
type Check = (value: JsonObject, at: string, report: Report) => void;

const BLOCKS: Readonly<Record<string, Check>> = {
  divider: (block, at, report) => keys(block, ['type', 'block_id'], at, report),
  header(block, at, report) {
    keys(block, ['type', 'block_id', 'text'], at, report);
    textObject(block.text, `${at}/text`, report, { max: 150, types: ['plain_text'] });
  },
  section(block, at, report) {
    keys(block, ['type', 'block_id', 'text', 'fields', 'expand'], at, report);
    if (block.text === undefined && block.fields === undefined) report(at, 'text or fields is required');
    if (block.text !== undefined) textObject(block.text, `${at}/text`, report, { max: 3000 });
    if (block.fields !== undefined)
      items(block.fields, 10, `${at}/fields`, report, (field, where) =>
        textObject(field, where, report, { max: 2000 }),
      );
  },
  context(block, at, report) {
    keys(block, ['type', 'block_id', 'elements'], at, report);
    items(block.elements, 10, `${at}/elements`, report, (element, where) =>
      textObject(element, where, report, { max: 3000 }),
    );
  },
  actions(block, at, report) {
    keys(block, ['type', 'block_id', 'elements'], at, report);
    items(block.elements, 25, `${at}/elements`, report, (element, where) => button(element, where, report));
  },
};

function button(value: unknown, at: string, report: Report): void {
  if (!isObject(value) || value.type !== 'button') {
    report(at, 'unsupported element');
    return;
  }
  keys(
    value,
    ['type', 'text', 'action_id', 'value', 'style', 'url', 'confirm', 'accessibility_label'],
    at,
    report,
  );
  textObject(value.text, `${at}/text`, report, { max: 75, types: ['plain_text'] });
  string(value.action_id, 255, `${at}/action_id`, report);
  if (value.value !== undefined) string(value.value, 2000, `${at}/value`, report);
  if (value.style !== undefined && value.style !== 'primary' && value.style !== 'danger')
    report(`${at}/style`, 'must be primary or danger');
  if (value.confirm !== undefined) confirmation(value.confirm, `${at}/confirm`, report);
}

function confirmation(value: unknown, at: string, report: Report): void {
  if (!isObject(value)) {
    report(at, 'must be an object');
    return;
  }
  keys(value, ['title', 'text', 'confirm', 'deny', 'style'], at, report);
  textObject(value.title, `${at}/title`, report, { max: 100, types: ['plain_text'] });
  textObject(value.text, `${at}/text`, report, { max: 300 });
  textObject(value.confirm, `${at}/confirm`, report, { max: 30, types: ['plain_text'] });
  textObject(value.deny, `${at}/deny`, report, { max: 30, types: ['plain_text'] });
}

function textObject(
  value: unknown,
  at: string,
  report: Report,
  { max, types = ['plain_text', 'mrkdwn'] }: { max: number; types?: readonly string[] },
): void {
  if (!isObject(value)) {
    report(at, 'must be a text object');
    return;
  }
  if (!types.includes(String(value.type))) {
    report(`${at}/type`, `must be ${types.join(' or ')}`);
    return;
  }
  keys(value, ['type', 'text', value.type === 'mrkdwn' ? 'verbatim' : 'emoji'], at, report);
  string(value.text, max, `${at}/text`, report);
}

function string(value: unknown, max: number, at: string, report: Report): void {
  if (typeof value !== 'string') {
    report(at, 'must be a string');
    return;
  }
  if (value.length < 1) report(at, 'must be more than 0 characters');
  if (value.length > max) report(at, `must be less than ${max + 1} characters`);
}

function items(
  value: unknown,
  max: number,
  at: string,
  report: Report,
  check: (item: unknown, at: string) => void,
): void {
  if (!Array.isArray(value)) {
    report(at, 'must be an array');
    return;
  }
  if (value.length < 1) report(at, 'must have at least 1 item');
  if (value.length > max) report(at, `no more than ${max} items allowed`);
  value.forEach((item, index) => {
    check(item, `${at}/${index}`);
  });
}

function keys(value: JsonObject, allowed: readonly string[], at: string, report: Report): void {
  for (const key of Object.keys(value))
    if (!allowed.includes(key)) report(`${at}/${key}`, 'no additional properties allowed');
}

function unique(value: unknown, what: string, at: string, seen: Set<string>, report: Report): void {
  if (value === undefined) return;
  if (typeof value !== 'string' || value.length > 255) {
    report(at, `${what} must be under 256 characters`);
    return;
  }
  if (seen.has(value)) report(at, `${what} already exists`);
  seen.add(value);
}
