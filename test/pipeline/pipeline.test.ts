import { describe, expect, it } from 'vitest';
import type { Action, Admission } from '../../src/core/admission.ts';
import { type Decision, failedVerdict, type Verdict } from '../../src/core/decision.ts';
import { Fault } from '../../src/core/errors.ts';
import type { PostgresFacts } from '../../src/core/facts.ts';
import type { Hold, HoldRequest, HoldResult } from '../../src/core/ports.ts';
import type { RecordDraft } from '../../src/core/record.ts';
import { type Refusal, refusal } from '../../src/core/refusal.ts';
import type { Ticket } from '../../src/core/ticket.ts';
import { createPipeline } from '../../src/pipeline/pipeline.ts';
import { handClock } from '../support/clock.ts';

const agent = { id: 'bot', owner: 'dana@example.com', environment: 'test', purpose: 'testing', labels: {} };

const facts: PostgresFacts = {
  kind: 'postgres',
  sql: {
    database: 'app',
    user: 'agent',
    role: 'agent',
    search_path: ['public'],
    in_transaction: false,
    protocol: 'simple',
    text: 'SELECT 1',
    fingerprint: '0123456789abcdef',
    parameters: [],
    parsed: true,
    error: null,
    statements: [],
    flags: [],
    estimate: null,
    resolved: null,
  },
};

const action: Action = {
  facts,
  fingerprint: { exact: 'e'.repeat(64), shape: 's'.repeat(64) },
  display: { title: 'SELECT', text: 'SELECT 1', fields: [] },
  record: { text: 'SELECT ?' },
  waitMs: 50_000,
};

function verdict(effect: Decision['effect'], more: Partial<Decision> = {}, revision = 'r1'): Verdict {
  return {
    decision: {
      effect,
      rules: [{ id: `test.${effect}`, reason: `because ${effect}`, severity: 'high', controls: [] }],
      requirements: [{ groups: ['approvers'], quorum: 1 }],
      expires: null,
      grant: null,
      limits: null,
      mask: null,
      message: '',
      ...more,
    },
    revision,
    failure: null,
  };
}

/** A pipeline whose policy answers from a list, and whose desk is played by the test. */
function setUp(verdicts: Verdict[], options: { mode?: 'enforce' | 'shadow' } = {}) {
  const clock = handClock();
  const journal: string[] = [];
  const records: RecordDraft[] = [];
  const stopping = new AbortController();
  const gone = new AbortController();
  const requests: HoldRequest[] = [];
  const answers: ((result: HoldResult) => void)[] = [];
  const state = {
    failEvidence: false,
    failDurable: false,
    releases: [] as boolean[],
    changed: null as string | null,
  };
  let deskAnswer: ((request: HoldRequest) => Hold | Refusal) | null = null;
  const pipeline = createPipeline({
    agent,
    clock,
    mode: options.mode ?? 'enforce',
    expiresIn: 3_600_000,
    stopping: stopping.signal,
    ids: { decision: () => `d${journal.length}`, ticket: () => 'HP-00000000' },
    meter: { decided() {}, refused() {}, waited: (end) => journal.push(`waited ${end}`) },
    policy: {
      async decide() {
        const next = verdicts.length > 1 ? verdicts.shift() : verdicts[0];
        if (!next) throw new Error('no verdict left');
        journal.push(`decide ${next.decision.effect}`);
        return next;
      },
    },
    evidence: {
      async append(record, { durable = false } = {}) {
        if (state.failEvidence || (durable && state.failDurable)) {
          throw new Fault('evidence_unavailable', 'no space left on device');
        }
        records.push(record);
        journal.push(`${durable ? 'fsync' : 'write'} ${record.type}`);
        return { seq: records.length };
      },
    },
    desk: {
      async submit(request) {
        requests.push(request);
        journal.push('submit');
        return deskAnswer ? deskAnswer(request) : hold(request);
      },
    },
  });
  function hold(request: HoldRequest): Hold {
    const ticket: Ticket = {
      ...request,
      id: `HP-0000000${requests.length}`,
      state: 'pending',
      parked: false,
      openedAt: clock.now(),
      expiresAt: clock.now() + request.expiresIn,
      closedAt: null,
      closedReason: null,
      answers: [],
    };
    return {
      ticket,
      settled: new Promise((resolve) => answers.push(resolve)),
      async release() {
        const won = state.releases.shift() ?? true;
        journal.push(`release ${won}`);
        return won;
      },
      async stale(reason) {
        journal.push(`stale: ${reason}`);
      },
      async park() {
        journal.push('park');
      },
      async leave(reason) {
        journal.push(`leave: ${reason}`);
      },
    };
  }
  let held: (ticket: Ticket) => void = () => {};
  const nextHold = () =>
    new Promise<Ticket>((resolve) => {
      held = resolve;
    });
  const admit = (asked: Action = action) =>
    pipeline.admit(asked, {
      signal: gone.signal,
      onHeld: (ticket) => held(ticket),
      changed: () => state.changed,
    });
  const answer = (result: HoldResult) => answers.shift()?.(result);
  return {
    pipeline,
    clock,
    journal,
    records,
    stopping,
    gone,
    requests,
    state,
    admit,
    answer,
    nextHold,
    refuseAtDesk: (value: Refusal) => {
      deskAnswer = () => value;
    },
  };
}

function refusalOf(admission: Admission): Refusal {
  if (!('refusal' in admission)) throw new Error('it was admitted');
  return admission.refusal;
}

describe('an allowed action', () => {
  it('is recorded before its permit is minted', async () => {
    const { admit, journal, records } = setUp([verdict('allow')]);
    const admission = await admit();
    expect('permit' in admission).toBe(true);
    expect(journal).toEqual(['decide allow', 'write decision']);
    expect(records[0]?.policy?.effect).toBe('allow');
  });

  it('is refused when the log cannot be written', async () => {
    const { admit, state } = setUp([verdict('allow')]);
    state.failEvidence = true;
    expect(refusalOf(await admit()).code).toBe('evidence_unavailable');
  });

  it('gets a permit that is good for its own octets, once', async () => {
    const { admit } = setUp([verdict('allow')]);
    const admission = await admit();
    if (!('permit' in admission)) throw new Error('refused');
    expect(() => admission.permit.spend('another digest')).toThrow(/other octets/);
    admission.permit.spend(action.fingerprint.exact);
    expect(() => admission.permit.spend(action.fingerprint.exact)).toThrow(/twice/);
  });
});

describe('a denied action', () => {
  it('is refused with the reasons, and recorded', async () => {
    const { admit, journal } = setUp([verdict('deny')]);
    expect(refusalOf(await admit())).toMatchObject({ code: 'policy_denied', reason: 'because deny' });
    expect(journal).toEqual(['decide deny', 'write decision']);
  });

  it('carries the code of what went wrong where policy could not answer', async () => {
    const { admit, records } = setUp([failedVerdict('policy_trap', 'unreachable', 'r1')]);
    expect(refusalOf(await admit()).code).toBe('policy_trap');
    expect(records[0]?.detail).toMatchObject({ failure: 'policy_trap' });
  });
});

describe('a held action', () => {
  it('passes once approved: policy is asked again, the approval spent, the log synced, and only then the permit', async () => {
    const { admit, answer, nextHold, journal, clock } = setUp([verdict('hold')]);
    const waiting = nextHold();
    const admission = admit();
    await waiting;
    answer({ state: 'approved' });
    expect('permit' in (await admission)).toBe(true);
    expect(journal).toEqual([
      'decide hold',
      'submit',
      'write decision',
      'decide hold',
      'release true',
      'fsync decision',
      'waited released',
    ]);
    expect(clock.timers).toBe(0);
  });

  it('is refused as denied, with the reviewer and the reason', async () => {
    const { admit, answer, nextHold } = setUp([verdict('hold')]);
    const waiting = nextHold();
    const admission = admit();
    await waiting;
    answer({ state: 'denied', by: 'robin@example.com', reason: 'not this week' });
    const refused = refusalOf(await admission);
    expect(refused.code).toBe('hold_denied');
    expect(refused.reason).toContain('robin@example.com');
    expect(refused.reason).toContain('not this week');
    expect(refused.ticket).toBe('HP-00000001');
  });

  it('says expired, not denied, when nobody answered', async () => {
    const { admit, answer, nextHold } = setUp([verdict('hold')]);
    const waiting = nextHold();
    const admission = admit();
    await waiting;
    answer({ state: 'expired', by: null, reason: 'unanswered' });
    expect(refusalOf(await admission).code).toBe('hold_expired');
  });

  it('is parked when the client has waited long enough, at that very millisecond', async () => {
    const { admit, nextHold, clock, journal } = setUp([verdict('hold')]);
    const waiting = nextHold();
    const admission = admit();
    await waiting;
    await Promise.resolve();
    clock.advance(49_999);
    expect(journal).not.toContain('park');
    clock.advance(1);
    expect(refusalOf(await admission)).toMatchObject({ code: 'hold_pending', retryAfter: 15 });
    expect(journal).toContain('park');
  });

  it('is withdrawn at once when the client goes away, and an approval after that releases nothing', async () => {
    const { admit, answer, nextHold, gone, journal, clock } = setUp([verdict('hold')]);
    const waiting = nextHold();
    const admission = admit();
    await waiting;
    gone.abort();
    expect(refusalOf(await admission).code).toBe('hold_withdrawn');
    answer({ state: 'approved' });
    await Promise.resolve();
    expect(journal.filter((line) => line.startsWith('release'))).toEqual([]);
    expect(clock.timers).toBe(0);
  });

  it('is withdrawn when the client goes away between the approval and the release', async () => {
    const { admit, answer, nextHold, gone, journal } = setUp([verdict('hold')]);
    const waiting = nextHold();
    const admission = admit();
    await waiting;
    answer({ state: 'approved' });
    gone.abort();
    expect(refusalOf(await admission).code).toBe('hold_withdrawn');
    expect(journal.filter((line) => line.startsWith('release'))).toEqual([]);
  });

  it('is refused when a newer policy denies it at release', async () => {
    const { admit, answer, nextHold, journal } = setUp([verdict('hold'), verdict('deny', {}, 'r2')]);
    const waiting = nextHold();
    const admission = admit();
    await waiting;
    answer({ state: 'approved' });
    expect(refusalOf(await admission)).toMatchObject({ code: 'policy_denied', ticket: 'HP-00000001' });
    expect(journal).toContain('stale: policy r2 denies it now');
  });

  it('is stale when a newer policy asks for other reviewers', async () => {
    const stricter = verdict('hold', { requirements: [{ groups: ['security'], quorum: 2 }] }, 'r2');
    const { admit, answer, nextHold, journal } = setUp([verdict('hold'), stricter]);
    const waiting = nextHold();
    const admission = admit();
    await waiting;
    answer({ state: 'approved' });
    expect(refusalOf(await admission).code).toBe('hold_stale');
    expect(journal.join()).not.toContain('release');
  });

  it('is stale when what it means has changed since', async () => {
    const { admit, answer, nextHold, state } = setUp([verdict('hold')]);
    const waiting = nextHold();
    const admission = admit();
    await waiting;
    state.changed = 'search_path is another one now';
    answer({ state: 'approved' });
    expect(refusalOf(await admission)).toMatchObject({ code: 'hold_stale' });
  });

  it('keeps its approval for a retry when policy fails at release', async () => {
    const { admit, answer, nextHold, journal } = setUp([
      verdict('hold'),
      failedVerdict('policy_timeout', 'too slow', 'r1'),
    ]);
    const waiting = nextHold();
    const admission = admit();
    await waiting;
    answer({ state: 'approved' });
    expect(refusalOf(await admission).code).toBe('policy_timeout');
    expect(journal).toContain('park');
    expect(journal.join()).not.toContain('release');
  });

  it('asks again when an identical request took the approval', async () => {
    const { admit, answer, nextHold, state, requests } = setUp([verdict('hold')]);
    state.releases = [false, true];
    let waiting = nextHold();
    const admission = admit();
    await waiting;
    waiting = nextHold();
    answer({ state: 'approved' });
    await waiting;
    answer({ state: 'approved' });
    const result = await admission;
    expect('permit' in result && result.ticket).toBe('HP-00000002');
    expect(requests).toHaveLength(2);
  });

  it('is refused when the log cannot be synced at release', async () => {
    const { admit, answer, nextHold, state } = setUp([verdict('hold')]);
    const waiting = nextHold();
    const admission = admit();
    await waiting;
    state.failDurable = true;
    answer({ state: 'approved' });
    expect(refusalOf(await admission).code).toBe('evidence_unavailable');
  });

  it('leaves the ticket when the log cannot be written at the start', async () => {
    const { admit, state, journal } = setUp([verdict('hold')]);
    state.failEvidence = true;
    expect(refusalOf(await admit()).code).toBe('evidence_unavailable');
    expect(journal.at(-1)).toBe('leave: the audit log could not be written');
  });

  it('passes on why the desk took no ticket', async () => {
    const { admit, refuseAtDesk } = setUp([verdict('hold')]);
    refuseAtDesk(refusal('hold_capacity', '100 are waiting'));
    expect(refusalOf(await admit()).code).toBe('hold_capacity');
  });

  it('is refused, and said to be, when Holdpoint stops', async () => {
    const { admit, nextHold, stopping, journal } = setUp([verdict('hold')]);
    const waiting = nextHold();
    const admission = admit();
    await waiting;
    stopping.abort();
    expect(refusalOf(await admission)).toMatchObject({ code: 'draining', ticket: 'HP-00000001' });
    expect(journal).toContain('leave: Holdpoint was stopped while the client was waiting');
    expect(refusalOf(await admit()).code).toBe('draining');
  });
});

describe('an action that is still arriving', () => {
  const whole: Action = { ...action, fingerprint: { exact: 'f'.repeat(64), shape: 's'.repeat(64) } };

  it('is read whole before a person is asked, and judged again as a whole', async () => {
    const { admit, requests, journal, nextHold, answer } = setUp([verdict('hold')]);
    const waiting = nextHold();
    const admission = admit({ ...action, whole: async () => whole });
    await waiting;
    expect(requests[0]?.fingerprint.exact).toBe(whole.fingerprint.exact);
    expect(journal.slice(0, 3)).toEqual(['decide hold', 'decide hold', 'submit']);
    answer({ state: 'approved' });
    const admitted = await admission;
    if (!('permit' in admitted)) throw new Error('refused');
    expect(() => admitted.permit.spend(action.fingerprint.exact)).toThrow(/other octets/);
  });

  it('is denied when the whole is', async () => {
    const { admit, requests } = setUp([verdict('hold'), verdict('deny')]);
    expect(refusalOf(await admit({ ...action, whole: async () => whole })).code).toBe('policy_denied');
    expect(requests).toEqual([]);
  });

  it('is refused when the rest cannot be read', async () => {
    const { admit } = setUp([verdict('hold')]);
    const tooLarge = refusal('request_too_large', 'more than can be kept');
    expect(refusalOf(await admit({ ...action, whole: async () => tooLarge })).code).toBe('request_too_large');
  });

  it('is not read whole where policy allows it', async () => {
    const { admit } = setUp([verdict('allow')]);
    const admission = await admit({ ...action, whole: () => Promise.reject(new Error('it was read')) });
    expect('permit' in admission).toBe(true);
  });
});

describe('what the protocol bars', () => {
  it.each(['enforce', 'shadow'] as const)('is refused and recorded, unasked, in %s mode', async (mode) => {
    const { admit, journal, records } = setUp([verdict('allow')], { mode });
    const barred = refusal('destination_self', 'that is us');
    expect(refusalOf(await admit({ ...action, barred })).code).toBe('destination_self');
    expect(journal).toEqual(['write decision']);
    expect(records[0]?.policy?.effect).toBe('deny');
  });
});

describe('shadow mode', () => {
  it.each(['hold', 'deny'] as const)('records a %s and lets it pass', async (effect) => {
    const { admit, records, requests } = setUp([verdict(effect)], { mode: 'shadow' });
    expect('permit' in (await admit())).toBe(true);
    expect(records[0]).toMatchObject({ policy: { effect }, detail: { mode: 'shadow' } });
    expect(requests).toEqual([]);
  });
});

describe('a preview', () => {
  it.each([
    ['allow', null],
    ['hold', null],
    ['deny', 'policy_denied'],
  ] as const)('of what policy would %s answers %s', async (effect, code) => {
    const { pipeline, requests } = setUp([verdict(effect)]);
    expect((await pipeline.preview(action))?.code ?? null).toBe(code);
    expect(requests).toEqual([]);
  });
});
