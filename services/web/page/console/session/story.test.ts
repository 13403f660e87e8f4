import type { SessionTimeline, TimelineEntry } from '@greenroom/contracts';
import { describe, expect, test } from '@jest/globals';
import { hasTurns, stepsOf, tellStory } from './story.js';

const BEGIN = Date.parse('2026-11-22T10:00:00.000Z');
const at = (seconds: number): string => new Date(BEGIN + seconds * 1_000).toISOString();
const seconds = (time: number | undefined): number | undefined =>
  time === undefined ? undefined : (time - BEGIN) / 1_000;

const NOTHING = {
  askedAt: null,
  queuedAt: null,
  spawnedAt: null,
  readyAt: null,
  joinedAt: null,
  firstAudioAt: null,
  endRequestedAt: null,
  endedAt: null,
};
type Milestones = { [Name in keyof SessionTimeline]: string | null };
const milestones = (some: Partial<Milestones>): Milestones => ({ ...NOTHING, ...some });

const speaking = (who: 'agent' | 'user', active: boolean, when: number): TimelineEntry => ({
  event: 'agent',
  data: { sessionId: 's', at: at(when), kind: `${who}_speaking`, active },
});
const said = (role: 'agent' | 'user', text: string, final: boolean, when: number): TimelineEntry => ({
  event: 'transcript',
  data: { sessionId: 's', at: at(when), role, text, final },
});

describe('how a session came to be', () => {
  test('a cold one from the question over the line to the first words, without a gap', () => {
    const { bars } = tellStory(
      milestones({
        askedAt: at(0),
        queuedAt: at(0),
        spawnedAt: at(30),
        readyAt: at(32),
        joinedAt: at(33),
        firstAudioAt: at(34),
      }),
      [],
    );
    expect(bars.map(({ label, from, to }) => [label, seconds(from), seconds(to)])).toEqual([
      ['in line', 0, 30],
      ['agent loading', 30, 32],
      ['waiting for the caller', 32, 33],
      ['caller is there', 33, 34],
    ]);
  });

  test('what a warm agent did before it was asked for is not shown as a wait', () => {
    const story = tellStory(
      milestones({
        askedAt: at(0),
        spawnedAt: at(-500),
        readyAt: at(-498),
        joinedAt: at(1),
        firstAudioAt: at(2),
      }),
      [],
    );
    expect(seconds(story.start)).toBe(0);
    expect(story.bars.map(({ label, from }) => [label, seconds(from)])).toEqual([
      ['asked', 0],
      ['caller is there', 1],
    ]);
    expect(story.marks.map(({ label }) => label)).toEqual(['caller joined', 'first words of the agent']);
  });
});

describe('turns', () => {
  const turns = (entries: TimelineEntry[], endedAt: string | null = null) =>
    tellStory(milestones({ askedAt: at(0), endedAt }), entries)
      .bars.filter(({ lane }) => lane !== 'start')
      .map(({ lane, from, to }) => [lane, seconds(from), seconds(to)]);

  test('of both sides, which may overlap; a word that comes twice begins nothing anew', () => {
    expect(
      turns([
        speaking('agent', true, 1),
        speaking('agent', true, 2),
        speaking('user', true, 3),
        speaking('agent', false, 4),
        speaking('user', false, 6),
        speaking('user', false, 7),
      ]),
    ).toEqual([
      ['agent', 1, 4],
      ['caller', 3, 6],
    ]);
  });

  test('one that goes on is open; with the session it ends', () => {
    expect(turns([speaking('agent', true, 1)])).toEqual([['agent', 1, undefined]]);
    expect(turns([speaking('agent', true, 1)], at(9))).toEqual([['agent', 1, 9]]);
  });

  test('an agent that crashed while it spoke does not speak on', () => {
    const crash: TimelineEntry = {
      event: 'state',
      data: { sessionId: 's', at: at(5), status: 'restarting', step: 'restarting' },
    };
    expect(turns([speaking('agent', true, 1), crash, speaking('agent', true, 8)])).toEqual([
      ['agent', 1, 5],
      ['agent', 8, undefined],
    ]);
  });
});

test('of what one side is saying there is one line, which stays where it began', () => {
  const { lines } = tellStory(milestones({ askedAt: at(0) }), [
    said('user', 'what', false, 1),
    said('agent', 'Hello', true, 2),
    said('user', 'what time', false, 3),
    said('user', 'what time is it', true, 4),
    said('user', 'and', false, 5),
  ]);
  expect(lines.map(({ role, text, isFinal, at: time }) => [role, text, isFinal, seconds(time)])).toEqual([
    ['user', 'what time is it', true, 1],
    ['agent', 'Hello', true, 2],
    ['user', 'and', false, 5],
  ]);
});

test('questions into the silence are counted, and steps that nobody knows are named all the same', () => {
  const deadAir = (step: string, when: number, detail: object = {}): TimelineEntry => ({
    event: 'dead_air',
    data: { sessionId: 's', at: at(when), step, ...detail },
  });
  const { marks } = tellStory(milestones({ askedAt: at(0) }), [
    deadAir('checkin', 7, { number: 1, of: 2 }),
    deadAir('something_new', 8),
  ]);
  expect(marks.map(({ lane, label }) => [lane, label])).toEqual([
    ['silence', 'asked whether somebody is there (1 of 2)'],
    ['silence', 'something new'],
  ]);
});

describe('where on the axis words stand', () => {
  const linesOf = (entries: TimelineEntry[]) =>
    tellStory(milestones({ askedAt: at(0) }), entries).lines.map(({ role, text, at: from, to }) => [
      role,
      text,
      seconds(from),
      seconds(to),
    ]);

  test('where they were spoken, however late they were reported: a greeting comes before the question to it', () => {
    expect(
      linesOf([
        speaking('agent', true, 2.6),
        speaking('agent', false, 6.6),
        speaking('user', true, 8),
        said('agent', 'Hello Ada', true, 8.5),
        said('user', 'what', false, 8.7),
        speaking('user', false, 9.4),
        said('user', 'what time is it', true, 9.8),
        speaking('agent', true, 10.5),
        said('agent', 'It is noon', true, 11),
      ]),
    ).toEqual([
      ['agent', 'Hello Ada', 2.6, 6.6],
      ['user', 'what time is it', 8, 9.4],
      ['agent', 'It is noon', 10.5, undefined],
    ]);
  });

  test('no turn is taken twice, and none before one that was taken; what has none stands where it was told', () => {
    expect(
      linesOf([
        speaking('user', true, 1),
        speaking('user', false, 2),
        speaking('user', true, 3),
        speaking('user', false, 4),
        said('user', 'spoken', true, 5),
        said('user', 'typed', true, 7),
      ]),
    ).toEqual([
      ['user', 'spoken', 3, 4],
      ['user', 'typed', 7, undefined],
    ]);
  });
});

test('in words there is all that is drawn, by time', () => {
  const story = tellStory(milestones({ askedAt: at(0), joinedAt: at(1), firstAudioAt: at(2) }), [
    speaking('agent', true, 2),
    speaking('agent', false, 4.5),
    speaking('user', true, 6),
  ]);
  expect(stepsOf(story).map(({ at: when, label }) => [seconds(when), label])).toEqual([
    [0, 'asked, 1.0 s'],
    [1, 'caller is there, 1.0 s'],
    [1, 'caller joined'],
    [2, 'agent speaks, 2.5 s'],
    [2, 'first words of the agent'],
    [6, 'caller speaks, until now'],
  ]);
  expect(hasTurns(story)).toBe(true);
  expect(hasTurns(tellStory(milestones({ askedAt: at(0), joinedAt: at(1), endedAt: at(9) }), []))).toBe(
    false,
  );
});
