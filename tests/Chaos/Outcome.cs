using System.Diagnostics;

namespace OllamaMax.Chaos.Tests;

/// <summary>What became of one request, as its client saw it.</summary>
/// <param name="Id">Of the request or job, as logs have it.</param>
/// <param name="Text">All that was received.</param>
/// <param name="Tokens">As the end of the answer says; null without an end.</param>
/// <param name="Error">The reason that the client saw; null: it was answered.</param>
internal sealed record Outcome(string Id, Question Question, string Text, int? Tokens, string? Error)
{
    /// <summary>Begins the error of what had been accepted and is no longer known.</summary>
    public const string Lost = "lost";

    /// <summary>Time stamps of its begin and its end.</summary>
    public (long From, long To) Time { get; init; }

    public override string ToString() => $"{Id} (question {Question.Number}, {Stopwatch.GetElapsedTime(Time.From, Time.To).TotalSeconds:0.0} s, "
        + $"{Text.Length} characters, {(Error is null ? "answered" : $"failed: {Error}")})";
}
