using OllamaMax.Jobs;
using OllamaMax.Placement;

namespace OllamaMax.Bench.Placement;

/// <summary>Turns over one system prompt, each with all that came before it in its prompt.</summary>
/// <param name="Group">Whose system prompt it shares; null: nobody's.</param>
/// <param name="Turns">How many there will be.</param>
/// <param name="Draws">Chance of its own, so that it says the same under every policy.</param>
internal sealed record Conversation(int Number, SystemPrompt? Group, int Turns, Random Draws)
{
    /// <summary>Some clients send a system prompt of a few words with everything: nothing that is worth sharing.</summary>
    private const string Usual = "You are a helpful assistant.";

    private const int CharactersPerToken = 4;

    /// <summary>Tokens of the last turn's prompt and answer.</summary>
    public int Tokens { get; private set; }

    public int Turn { get; private set; }

    private PromptPrefix Prefix { get; set; }

    /// <summary>The tokens with which both begin.</summary>
    /// <param name="other">A conversation.</param>
    /// <param name="tokens">How much of it there is.</param>
    public int CommonWith(Conversation other, int tokens) =>
        other == this ? tokens : Group is not null && other.Group == Group ? Math.Min(Group.Tokens, tokens) : 0;

    public SimulatedJob Next(PlacementRule rule, TimeSpan now)
    {
        int message = Draws.Next(30, Group is null && Turns == 1 ? 3000 : 300);
        if (Turn++ == 0)
        {
            Prefix = FirstPrefix(message);
            Tokens = Group?.Tokens ?? 0;
        }
        else
        {
            Prefix = Prefix with { IsContinued = true };
        }
        int answer = Math.Clamp((int)(-150 * Math.Log(1 - Draws.NextDouble())), 10, 600);
        SimulatedJob job = new()
        {
            Conversation = this,
            Placement = new(rule, Prefix),
            ArrivedAt = now,
            PromptTokens = Tokens + message,
            AnswerTokens = answer,
            KnownTokens = Turn > 1 ? Tokens : Group is { IsKnown: true } ? Group.Tokens : 0,
        };
        Tokens += message + answer;
        if (Group is not null)
            Group.IsKnown = true;
        return job;
    }

    // Not by value: two conversations may look alike.
    public bool Equals(Conversation? other) => ReferenceEquals(this, other);

    public override int GetHashCode() => Number;

    private PromptPrefix FirstPrefix(int tokens)
    {
        string text = $"{Number}: ".PadRight(tokens * CharactersPerToken, 'x');
        return PromptPrefix.OfChat([new ChatMessage("system", Group?.Text ?? Usual), new ChatMessage("user", text)], []);
    }
}

/// <param name="Tokens">How long it is.</param>
internal sealed record SystemPrompt(int Number, int Tokens)
{
    public string Text { get; } = $"Prompt {Number}. ".PadRight(Tokens * 4, 'y');

    /// <summary>Somebody has asked with it.</summary>
    public bool IsKnown { get; set; }
}
