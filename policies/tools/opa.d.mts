/** Types of opa.mjs, for the tests that compare with OPA. */
export const OPA_VERSION: string;
export const NO_OPA: string;
export function findOpa(options: { install: boolean }): string | null;
export function run(opa: string, args: readonly string[], options?: object): string;
