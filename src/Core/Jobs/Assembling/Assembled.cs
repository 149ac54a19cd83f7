namespace OllamaMax.Jobs.Assembling;

/// <summary>What became final with some tokens: often nothing. Of one piece, the reasoning comes first, then the text, then the calls.</summary>
/// <param name="Text">The answer's text.</param>
/// <param name="Thinking">Reasoning, without its tags.</param>
/// <param name="ToolCalls">Calls that are complete.</param>
public sealed record Assembled(string Text, string Thinking, IReadOnlyList<ToolCall> ToolCalls)
{
    public static readonly Assembled Nothing = new("", "", []);

    public bool IsEmpty => Text.Length == 0 && Thinking.Length == 0 && ToolCalls.Count == 0;

    public static Assembled operator +(Assembled first, Assembled second) => (first.IsEmpty, second.IsEmpty) switch
    {
        (_, true) => first,
        (true, _) => second,
        _ => new(first.Text + second.Text, first.Thinking + second.Thinking, [.. first.ToolCalls, .. second.ToolCalls]),
    };

    public static Assembled Add(Assembled left, Assembled right) => left + right;
}
