/**
 * What is wrong with calls that were played.
 * @param toleranceMs how far from its time a step may be, either way
 * @returns `{rule, call, text}` of each
 */
export function judge(calls, { toleranceMs }) {
  return calls.flatMap((call) => [...judgeSteps(call, toleranceMs), ...judgeProblems(call)]);
}

function judgeSteps({ caseName, name, steps }, toleranceMs) {
  return steps.flatMap((step) => {
    const call = `${name} (${caseName})`;
    if (step.at === undefined) return { rule: 'missing step', call, text: step.name };
    const deviation = deviationOf(step);
    if (Math.abs(deviation) <= toleranceMs) return [];
    return {
      rule: 'wrong time',
      call,
      text: `${step.name} came ${Math.abs(deviation)} ms too ${deviation > 0 ? 'late' : 'early'}`,
    };
  });
}

function judgeProblems({ caseName, name, problems }) {
  return problems.map((text) => ({ rule: 'wrong course', call: `${name} (${caseName})`, text }));
}

export function deviationOf({ at, expectedAt }) {
  return at - expectedAt;
}
