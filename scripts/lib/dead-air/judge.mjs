/**
 * What is wrong with calls that were played.
 * @param toleranceMs how far from its time a step may be, either way
 * @returns `{rule, name, caseName, text}` of each
 */
export function judge(calls, { toleranceMs }) {
  return calls.flatMap((call) => [...judgeSteps(call, toleranceMs), ...judgeProblems(call)]);
}

function judgeSteps({ caseName, name, steps }, toleranceMs) {
  return steps.flatMap((step) => {
    if (step.at === undefined) return { rule: 'missing step', name, caseName, text: step.name };
    const deviation = deviationOf(step);
    if (Math.abs(deviation) <= toleranceMs) return [];
    return {
      rule: 'wrong time',
      name,
      caseName,
      text: `${step.name} came ${Math.abs(deviation)} ms too ${deviation > 0 ? 'late' : 'early'}`,
    };
  });
}

function judgeProblems({ caseName, name, problems }) {
  return problems.map((text) => ({ rule: 'wrong course', name, caseName, text }));
}

export function deviationOf({ at, expectedAt }) {
  return at - expectedAt;
}
