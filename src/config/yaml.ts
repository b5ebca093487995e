/**
 * Owns reading YAML so that every value can be traced to its line. Must never know what the keys mean.
 */

import { type Document, LineCounter, parseDocument } from 'yaml';
import { messageOf } from '../core/errors.ts';

export type ConfigPath = readonly (string | number)[];

export interface YamlProblem {
  readonly line: number;
  readonly message: string;
}

export interface YamlFile {
  readonly value: unknown;
  readonly problems: readonly YamlProblem[];
  /** Line, from 1, of the value at `path`, or of the nearest parent that exists. */
  lineOf(path: ConfigPath): number;
}

export function readYaml(text: string): YamlFile {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    uniqueKeys: true,
    merge: false,
  });
  const at = (offset: number) => lines.linePos(offset).line;
  const problems = [...document.errors, ...document.warnings].map((error) => ({
    line: at(error.pos[0]),
    message: (error.message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:?$/, ''),
  }));
  // An alias count of zero: configuration has no use for anchors, and bombs are made of them.
  const value: unknown = problems.length === 0 ? toValue(document, problems) : null;
  return { value, problems, lineOf: (path) => at(offsetOf(document, path)) };
}

function toValue(document: Document.Parsed, problems: YamlProblem[]): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 });
  } catch (error) {
    problems.push({
      line: 1,
      message: messageOf(error),
    });
    return null;
  }
}

function offsetOf(document: Document.Parsed, path: ConfigPath): number {
  for (let depth = path.length; depth > 0; depth -= 1) {
    const node = document.getIn(path.slice(0, depth), true);
    if (hasRange(node)) return node.range[0];
  }
  return document.contents?.range?.[0] ?? 0;
}

function hasRange(node: unknown): node is { range: [number, number, number] } {
  return typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range);
}
