/**
 * Owns taking the values out of SQL text: what PostgreSQL's lexer (documentation section 4.1) reads as a constant or
 * a comment becomes `…`; names, keywords, operators and `$1` stay. It is total: text that does not lex is redacted
 * from there to its end. Must never let a constant through; row bounds (LIMIT 100) are the one exception.
 */

import { endOfToken, kindAt, type TokenKind } from '../core/sql-tokens.ts';
import { maskSecrets } from './secret-shapes.ts';

/** A number right after one of these says how many rows, and is worth reading. */
const ROW_BOUND = /^(?:LIMIT|OFFSET|FIRST|NEXT)$/i;

/** The text with its constants and comments replaced. */
export function redactSql(text: string): string {
  let out = '';
  /** Everything before is in `out`. */
  let copied = 0;
  let at = 0;
  let lastName = '';
  let setting: SettingState = 'no';
  const replace = (start: number, end: number, shown: string) => {
    out += text.slice(copied, start) + shown;
    copied = end;
  };

  while (at < text.length) {
    const start = at;
    const kind = kindAt(text, start);
    at = endOfToken(text, start, kind);
    if (kind === 'space') continue;
    if (kind === 'comment') {
      replace(start, at, text.startsWith('--', start) ? '--…' : '/*…*/');
      continue;
    }
    const name = kind === 'name' ? text.slice(start, at) : '';
    setting = afterToken(setting, kind, name, text.charAt(start));
    if (kind === 'constant') replace(start, at, "'…'");
    else if (kind === 'number' && !ROW_BOUND.test(lastName)) replace(start, at, '…');
    else if (kind === 'quoted')
      replace(start, at, setting === 'value' ? '…' : maskSecrets(text.slice(start, at)));
    else if (kind === 'name' && setting === 'value' && !/^to$/i.test(name)) replace(start, at, '…');
    lastName = name;
  }
  return out + text.slice(copied);
}

/** Where in `SET [LOCAL | SESSION] prefix.name = value, …` a token stands. In such a value even a bare word can be a secret. */
type SettingState = 'no' | 'set' | 'prefix' | 'dot' | 'name' | 'value';

function afterToken(state: SettingState, kind: TokenKind, name: string, char: string): SettingState {
  const word = kind === 'name' || kind === 'quoted';
  switch (state) {
    case 'set':
      return word ? (/^(?:LOCAL|SESSION)$/i.test(name) ? 'set' : 'prefix') : 'no';
    case 'prefix':
      return char === '.' ? 'dot' : isSet(name) ? 'set' : 'no';
    case 'dot':
      return word ? 'name' : 'no';
    case 'name':
      return char === '=' || /^TO$/i.test(name) ? 'value' : isSet(name) ? 'set' : 'no';
    case 'value':
      return kind !== 'mark' || char === ',' || char === '-' || char === '+' ? 'value' : 'no';
    default:
      return isSet(name) ? 'set' : 'no';
  }
}

const isSet = (name: string): boolean => name.length === 3 && name.toUpperCase() === 'SET';
