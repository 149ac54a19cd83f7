using OllamaMax.Chaos.Tests.Events;

namespace OllamaMax.Chaos.Tests;

/// <summary>Finds what cannot be accounted for.</summary>
/// <param name="expected">The undisturbed answer of each question.</param>
internal sealed class Checker(IReadOnlyDictionary<Question, string> expected)
{
    /// <summary>Of failed attempts and of losses in one place, before a job is given up: fewer are no reason.</summary>
    private const int FewestLosses = 2;

    /// <summary>A line for each request that was answered wrongly or that failed though nothing happened that could be the reason.</summary>
    public IEnumerable<string> Check(IEnumerable<Outcome> outcomes, IReadOnlyList<Incident> incidents)
    {
        foreach (Outcome outcome in outcomes)
        {
            if (WhatIsWrong(outcome, incidents) is { } wrong)
                yield return $"{wrong}: {outcome}";
        }
    }

    private string? WhatIsWrong(Outcome outcome, IReadOnlyList<Incident> incidents)
    {
        string whole = expected[outcome.Question];
        if (outcome.Error is not null)
        {
            if (!whole.StartsWith(outcome.Text, StringComparison.Ordinal))
                return $"failed, and what came before is wrong ({Difference(whole, outcome.Text)})";
            return IsReason(outcome, [.. incidents.Where(incident => incident.Overlaps(outcome.Time)).Select(incident => incident.What.Kind)])
                ? null : "failed without a reason";
        }
        if (outcome.Text != whole)
            return $"another answer than the undisturbed one ({Difference(whole, outcome.Text)})";
        return outcome.Tokens == outcome.Question.Tokens ? null : $"{outcome.Tokens} tokens instead of {outcome.Question.Tokens}";
    }

    /// <summary>Whether what happened meanwhile explains the error that the client saw.</summary>
    private static bool IsReason(Outcome outcome, IReadOnlyList<ChaosKind> meanwhile)
    {
        string error = outcome.Error!;
        if (error.StartsWith(Outcome.Lost, StringComparison.Ordinal))
            return false;
        bool isGivenUp = error.Contains("given up", StringComparison.Ordinal) || error.Contains("set aside", StringComparison.Ordinal);
        if (isGivenUp)
            return meanwhile.Count(kind => kind is ChaosKind.KillWorker or ChaosKind.KillModel or ChaosKind.HangModel or ChaosKind.SuspendWorker or ChaosKind.StorageOutage) >= FewestLosses;
        if (meanwhile.Contains(ChaosKind.KillEdge))
            return true;
        return meanwhile.Any(kind => kind is ChaosKind.StorageOutage or ChaosKind.SignalROutage)
            && !error.StartsWith("connection", StringComparison.Ordinal) && !error.StartsWith("500", StringComparison.Ordinal);
    }

    private static string Difference(string whole, string text)
    {
        int same = whole.Zip(text).TakeWhile(pair => pair.First == pair.Second).Count();
        return $"from character {same} on: {Quote(whole, same)} became {Quote(text, same)}";
    }

    private static string Quote(string text, int from) => $"'{text[from..Math.Min(text.Length, from + 30)]}'";
}
