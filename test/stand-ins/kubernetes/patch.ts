/** The merge of a patch into an object: maps merge key by key, null removes, lists merge by `name`. */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export function strategicMerge(target: Json | undefined, patch: Json): Json {
  if (Array.isArray(patch)) return Array.isArray(target) ? mergeByName(target, patch) : patch;
  if (!isMap(patch)) return patch;
  const merged: Record<string, Json> = isMap(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = strategicMerge(merged[key], value);
  }
  return merged;
}

function mergeByName(target: readonly Json[], patch: readonly Json[]): Json {
  const named = [...target, ...patch].every((item) => isMap(item) && typeof item.name === 'string');
  if (!named) return patch;
  const merged = new Map<Json | undefined, Json>();
  for (const item of [...target, ...patch]) {
    const name = isMap(item) ? item.name : undefined;
    merged.set(name, strategicMerge(merged.get(name), item));
  }
  return [...merged.values()];
}

function isMap(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
