using OllamaMax.TestKit.Models;

namespace OllamaMax.Bench.Translation;

/// <summary>How much is measured.</summary>
internal sealed record TranslationSizes
{
    private const string Template = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}<|im_start|>assistant\n";

    public static TranslationSizes Full { get; } = new();

    public static TranslationSizes Quick { get; } = new()
    {
        Model = new() { Context = 2048, ChatTemplate = Template },
        Clients = 1,
        Answers = 1,
        WarmUp = 0,
        Tokens = 32,
        Idle = TimeSpan.FromMilliseconds(100),
        Replays = 2,
        CountWarmUp = TimeSpan.FromMilliseconds(50),
        CountTime = TimeSpan.FromMilliseconds(50),
    };

    /// <summary>One token takes some milliseconds, as of a model that somebody would use.</summary>
    public GgufSpec Model { get; init; } = new()
    {
        Weights = GgufWeights.Q4_0,
        Layers = 4,
        Width = 1024,
        Heads = 16,
        KeyValueHeads = 4,
        FeedForward = 4096,
        Context = 2048,
        VocabularySize = 8192,
        ChatTemplate = Template,
    };

    /// <summary>That ask at once.</summary>
    public int Clients { get; init; } = 4;

    /// <summary>Of each client, for each API.</summary>
    public int Answers { get; init; } = 2;

    /// <summary>Answers of each client before those that count: code is compiled in tiers.</summary>
    public int WarmUp { get; init; } = 1;

    /// <summary>Of an answer.</summary>
    public int Tokens { get; init; } = 1000;

    /// <summary>How long the edge is watched while nobody asks.</summary>
    public TimeSpan Idle { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How often the translators do each answer again.</summary>
    public int Replays { get; init; } = 200;

    /// <summary>How long prompts are counted before that counts: the template's interpreter is much code, and all of it is compiled in tiers.</summary>
    public TimeSpan CountWarmUp { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How long prompts are counted in each way.</summary>
    public TimeSpan CountTime { get; init; } = TimeSpan.FromSeconds(5);
}
