/** The form of a record: what an auditor's own tools will read. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCapturer } from '../../src/audit/capture.ts';
import { encodeRecord } from '../../src/audit/record.ts';
import { readRecord } from '../../src/audit/record-check.ts';
import { Fault } from '../../src/core/errors.ts';
import type { Json } from '../../src/core/facts.ts';
import { LIMITS } from '../../src/core/limits.ts';
import { draft } from '../../src/core/record.ts';
import { decision, START } from './sample-log.ts';

const full = createCapturer('full');
const encode = (record = decision('d1'), seq = 7) => encodeRecord(seq, START, record, full);
const lineOf = (text: string) => ({
  octets: Buffer.from(text),
  offset: 0,
  end: text.length + 1,
  ended: true,
});

describe('a record', () => {
  it('has its keys in one order', () => {
    expect(encode(decision('d1', { ticket: 'HP-00000000' }))).toBe(
      '{"v":1,"seq":7,"time":"2026-01-02T03:04:05.000Z","type":"decision","id":"d1","agent":"billing-bot","kind":"postgres",' +
        `"action":{"text":"SELECT * FROM orders WHERE id = 'order d1'","database":"app"},` +
        `"fingerprint":{"exact":"${'a'.repeat(64)}","shape":"${'b'.repeat(64)}"},` +
        '"policy":{"revision":"r1","effect":"allow","rules":[{"id":"postgres.read","reason":"reads one of orders","severity":"info","controls":["CC6.1"]}]},' +
        '"ticket":"HP-00000000","detail":{"mode":"enforce"}}',
    );
    expect(Object.keys(JSON.parse(encode(draft('started'))))).toEqual(Object.keys(JSON.parse(encode())));
  });

  it('is one line of JSON that says what went in, whatever that was', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string({ unit: 'binary' }), (value, text) => {
        const detail = { value: value as Json, text };
        const line = encode(decision('d1', { detail }));
        expect(line).not.toMatch(/[\n\r\0\u0085\u2028\u2029]/);
        expect(JSON.parse(line).detail).toEqual(JSON.parse(JSON.stringify(detail)));
        expect(readRecord(lineOf(line), 7, START)).toMatchObject({ ok: true, odd: null });
      }),
    );
  });

  it('escapes what ends a line or steers a terminal', () => {
    const text = 'a\u2028b\u2029c\0d\u009be\u202ef\ufeffg\x1b[2J\ud800h';
    const line = encode(decision('d1', { detail: { text } }));
    expect(line).toMatch(/^[\x20-\x7e]*$/);
    expect(JSON.parse(line).detail.text).toBe(text);
  });

  it('is cut where it would be too large, and says so', () => {
    const rules = Array.from({ length: 40 }, (_, index) => ({
      id: `r${index}`,
      reason: 'y'.repeat(50_000),
      severity: 'low' as const,
      controls: [],
    }));
    const line = encode(
      decision('d1', {
        policy: { revision: 'r', effect: 'deny', rules },
        detail: { text: 'é'.repeat(200_000) },
      }),
    );
    expect(Buffer.byteLength(line)).toBeLessThanOrEqual(LIMITS.auditRecord);
    const { policy, detail } = JSON.parse(line);
    expect(policy).toMatchObject({ effect: 'deny', cut: true, count: 40 });
    expect(policy.rules).toHaveLength(10);
    expect(detail).toMatchObject({ cut: true, characters: expect.any(Number) });
  });

  it('is left whole at exactly the bound and cut past it', () => {
    const spare = LIMITS.auditRecord - Buffer.byteLength(encode(decision('d1', { detail: { text: '' } })));
    const at = encode(decision('d1', { detail: { text: 'x'.repeat(spare) } }));
    expect(Buffer.byteLength(at)).toBe(LIMITS.auditRecord);
    expect(JSON.parse(at).detail.cut).toBeUndefined();
    expect(readRecord(lineOf(at), 7, START)).toMatchObject({ ok: true });
    expect(JSON.parse(encode(decision('d1', { detail: { text: 'x'.repeat(spare + 1) } }))).detail.cut).toBe(
      true,
    );
    expect(readRecord(lineOf(`${at} `), 7, START)).toMatchObject({ ok: false });
  });

  it('is refused where it has no JSON form or cannot be made small enough', () => {
    const loop: { [key: string]: Json } = {};
    loop.loop = loop;
    expect(() => encode(decision('d1', { detail: loop }))).toThrow(Fault);
    expect(() => encode(decision('x'.repeat(LIMITS.auditRecord)))).toThrow(Fault);
    expect(() => encodeRecord(0, Number.NaN, decision('d1'), full)).toThrow(Fault);
  });
});
