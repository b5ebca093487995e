/**
 * Owns reading a GraphQL document as far as its operations and their root fields (GraphQL specification, October
 * 2021, section 2). Must never accept what it did not follow to the end.
 */

export interface GraphqlOperation {
  readonly type: 'query' | 'mutation' | 'subscription';
  readonly name: string | null;
  /** Fields at the root, aliases resolved, fragments followed, in order, each once. */
  readonly fields: readonly string[];
}

const TOKEN =
  /"""(?:\\"""|(?!""")[\s\S])*"""|"(?:\\.|[^"\\\n])*"|\.\.\.|[_A-Za-z][_0-9A-Za-z]*|-?\d[\d.eE+-]*|[!$&()[\]{}:=@|]/y;
const IGNORED = /(?:[\s,\ufeff]+|#[^\n\r]*)+/y;
const MAX_TOKENS = 20_000;
const NAME = /^[_A-Za-z]/;

/** A root selection before fragments are followed: a field, or `...Name`. */
type Selection = { readonly field: string } | { readonly spread: string };

/** Null when the text is not a document this reader can follow. */
export function readGraphql(text: string): GraphqlOperation[] | null {
  const tokens = tokenize(text);
  if (!tokens) return null;
  const reader = new Reader(tokens);
  const operations: { type: GraphqlOperation['type']; name: string | null; selections: Selection[] }[] = [];
  const fragments = new Map<string, Selection[]>();
  while (!reader.done) {
    const word = reader.peek();
    if (word === '{') {
      const selections = reader.selections();
      if (!selections) return null;
      operations.push({ type: 'query', name: null, selections });
    } else if (word === 'query' || word === 'mutation' || word === 'subscription') {
      reader.next();
      const name = NAME.test(reader.peek()) ? reader.next() : null;
      const selections = reader.skipTo('{') ? reader.selections() : null;
      if (!selections) return null;
      operations.push({ type: word, name, selections });
    } else if (word === 'fragment') {
      reader.next();
      const name = reader.next();
      const selections = reader.skipTo('{') ? reader.selections() : null;
      if (!NAME.test(name) || !selections) return null;
      fragments.set(name, selections);
    } else return null;
  }
  const resolved: GraphqlOperation[] = [];
  for (const { type, name, selections } of operations) {
    const fields = follow(selections, fragments, new Set());
    if (!fields) return null;
    resolved.push({ type, name, fields: [...new Set(fields)] });
  }
  return resolved;
}

function follow(
  selections: readonly Selection[],
  fragments: ReadonlyMap<string, Selection[]>,
  seen: ReadonlySet<string>,
): string[] | null {
  const fields: string[] = [];
  for (const selection of selections) {
    if ('field' in selection) {
      fields.push(selection.field);
      continue;
    }
    const fragment = fragments.get(selection.spread);
    if (!fragment || seen.has(selection.spread)) return null;
    const inner = follow(fragment, fragments, new Set([...seen, selection.spread]));
    if (!inner) return null;
    fields.push(...inner);
  }
  return fields;
}

function tokenize(text: string): string[] | null {
  const tokens: string[] = [];
  let at = 0;
  while (at < text.length) {
    IGNORED.lastIndex = at;
    at += IGNORED.exec(text)?.[0].length ?? 0;
    if (at >= text.length) break;
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(text)?.[0];
    if (token === undefined || tokens.length >= MAX_TOKENS) return null;
    tokens.push(token);
    at += token.length;
  }
  return tokens;
}

class Reader {
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens;
  }

  get done(): boolean {
    return this.#at >= this.#tokens.length;
  }

  peek(): string {
    return this.#tokens[this.#at] ?? '';
  }

  next(): string {
    const token = this.peek();
    this.#at += 1;
    return token;
  }

  /** Past variables and directives, whose values may hold braces inside their parentheses. */
  skipTo(token: string): boolean {
    while (!this.done && this.peek() !== token) {
      if (this.peek() === '(') {
        if (!this.#skipGroup()) return false;
      } else this.next();
    }
    return !this.done;
  }

  /** `{ … }` at the root of an operation or fragment. */
  selections(): Selection[] | null {
    const found: Selection[] = [];
    this.next();
    while (this.peek() !== '}') {
      if (this.done) return null;
      if (this.peek() === '...') {
        this.next();
        if (NAME.test(this.peek()) && this.peek() !== 'on') {
          found.push({ spread: this.next() });
          this.#skipDirectives();
        } else {
          // An inline fragment, with or without a type condition: its fields are the root's.
          const inner = this.skipTo('{') ? this.selections() : null;
          if (!inner) return null;
          found.push(...inner);
        }
        continue;
      }
      let name = this.next();
      if (this.peek() === ':') {
        this.next();
        name = this.next();
      }
      if (!NAME.test(name)) return null;
      found.push({ field: name });
      if (this.peek() === '(' && !this.#skipGroup()) return null;
      this.#skipDirectives();
      if (this.peek() === '{' && !this.#skipGroup()) return null;
    }
    this.next();
    return found;
  }

  #skipDirectives(): void {
    while (this.peek() === '@') {
      this.next();
      this.next();
      if (this.peek() === '(') this.#skipGroup();
    }
  }

  #skipGroup(): boolean {
    let depth = 0;
    while (!this.done) {
      const token = this.next();
      if (token === '(' || token === '{' || token === '[') depth += 1;
      if (token === ')' || token === '}' || token === ']') depth -= 1;
      if (depth === 0) return true;
    }
    return false;
  }
}
