using System.Globalization;
using System.Text.Json.Nodes;

namespace OllamaMax.Chaos.Tests;

/// <summary>A request with one right answer: the seed is given, and the arithmetic does not depend on what else runs.</summary>
/// <param name="Number">Of the question, from 0.</param>
/// <param name="Temperature">0, or sampled with the seed.</param>
/// <param name="Tokens">Of its answer, which never ends by itself.</param>
internal sealed record Question(int Number, double Temperature, int Tokens)
{
    /// <summary>Greedy and sampled ones, of several lengths.</summary>
    public static readonly IReadOnlyList<Question> All =
        [new(0, 0, 60), new(1, 0.8, 90), new(2, 1.3, 120), new(3, 0, 120), new(4, 0.8, 40), new(5, 1.3, 90)];

    /// <summary>Long enough for much to happen in its middle.</summary>
    public static readonly Question Long = new(6, 0.8, 300);

    /// <summary>Long enough for most of an outage.</summary>
    public static readonly Question Longest = new(7, 0.8, 1000);

    /// <summary>The body of a call of <c>/api/generate</c>, and so of one of <c>/jobs</c>.</summary>
    public JsonObject Body(bool isStreamed) => new()
    {
        ["model"] = ChaosFixture.Model,
        ["prompt"] = string.Create(CultureInfo.InvariantCulture, $"Question {Number}: what comes now?"),
        ["raw"] = true,
        ["stream"] = isStreamed,
        ["options"] = new JsonObject { ["temperature"] = Temperature, ["seed"] = 1000 + Number, ["num_predict"] = Tokens },
    };
}
