/**
 * Owns paths and queries as policy sees them: raw segments, the decoded forms that opa-envoy-plugin users know,
 * and the verdict whether two servers could read the path as two. Must never change what is sent.
 */

export interface PathFacts {
  /** Segments between slashes, undecoded. */
  readonly segments: string[];
  /** Decoded as opa-envoy-plugin does it: unescape, trim leading slashes, split. `/` gives `[""]`. */
  readonly parsed: string[];
  readonly query: Record<string, string[]>;
  readonly ambiguous: boolean;
}

/** @param path Path with query, as sent. */
export function readPath(path: string): PathFacts {
  const mark = path.indexOf('?');
  const raw = mark < 0 ? path : path.slice(0, mark);
  const query = mark < 0 ? '' : path.slice(mark + 1);
  const segments = raw.replace(/^\//, '').split('/');
  const decoded = decode(raw);
  const fields = readForm(query);
  return {
    segments,
    parsed: (decoded ?? raw).replace(/^\/+/, '').split('/'),
    query: fields.values,
    ambiguous: decoded === null || isAmbiguous(segments) || fields.ambiguous,
  };
}

/**
 * Encoded separators, dot segments in any spelling, doubled encoding, path parameters, control characters and
 * empty segments: each is folded by some servers and kept by others, so what policy reads need not be what runs.
 */
function isAmbiguous(segments: readonly string[]): boolean {
  return segments.some((segment, index) => {
    if (segment === '') return index < segments.length - 1;
    if (/[\\;]/.test(segment) || /%(?:2f|5c|3b|7f|[01][0-9a-f])/i.test(segment)) return true;
    if (/%25[0-9a-f]{2}/i.test(segment)) return true;
    return /^(?:\.|%2e){1,2}$/i.test(segment);
  });
}

/** Percent-decoding that must give UTF-8; null where it does not. */
function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

export interface FormFields {
  readonly values: Record<string, string[]>;
  /** A field that does not decode, or `;` in a place that some parsers take for a separator. */
  readonly ambiguous: boolean;
}

/** application/x-www-form-urlencoded text, of a query or a body. */
export function readForm(text: string): FormFields {
  const values: Record<string, string[]> = Object.create(null) as Record<string, string[]>;
  let ambiguous = text.includes(';');
  for (const field of text.split('&')) {
    if (field === '') continue;
    const equals = field.indexOf('=');
    const name = readFormPart(equals < 0 ? field : field.slice(0, equals));
    const value = readFormPart(equals < 0 ? '' : field.slice(equals + 1));
    if (name === null || value === null) ambiguous = true;
    const key = name ?? field;
    const list = values[key];
    if (list) list.push(value ?? '');
    else values[key] = [value ?? ''];
  }
  return { values: { ...values }, ambiguous };
}

function readFormPart(text: string): string | null {
  return decode(text.replaceAll('+', ' '));
}
