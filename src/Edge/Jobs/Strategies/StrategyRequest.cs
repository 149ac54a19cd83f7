using OllamaMax.Edge.Http;

namespace OllamaMax.Edge.Jobs.Strategies;

/// <summary>A job with a strategy, as its client wrote it.</summary>
/// <param name="Content">What its branches are made of.</param>
/// <param name="Models">One for each branch; one alone for <c>map_reduce</c>.</param>
internal sealed record StrategyRequest(string Strategy, IReadOnlyList<string> Models, StrategyContent Content)
{
    /// <summary>Where a prompt takes the text in.</summary>
    public const string TextMark = "{text}";

    private const int LargestChunk = 1_000_000;
    private const int DefaultChunk = 1000;
    private const int DefaultOverlap = 100;
    private const int DefaultFanIn = 8;
    private const int MostFanIn = 64;

    /// <summary>With <c>ensemble</c>: who judges; null: the answers vote.</summary>
    public string? JudgeModel { get; init; }

    public int FanIn { get; init; } = DefaultFanIn;

    /// <summary>With <c>map_reduce</c>: what is cut.</summary>
    public string? Text { get; init; }

    /// <param name="most">Branches that there may be.</param>
    public static Result<StrategyRequest> Read(JsonFields fields, int most)
    {
        string strategy = fields.Text("strategy") ?? "";
        StrategyRequest? request = strategy switch
        {
            Orchestrations.Strategies.Choices => new(strategy, Repeated(fields, most), new()),
            Orchestrations.Strategies.Race => new(strategy, Raced(fields, most), new()),
            Orchestrations.Strategies.Ensemble => Ensemble(fields, most),
            Orchestrations.Strategies.MapReduce => MapReduce(fields),
            _ => null,
        };
        if (request is null)
            fields.Errors.Add("strategy", $"must be one of {string.Join(", ", Orchestrations.Strategies.All.Keys)}");
        if (fields.Errors.First is { } error)
            return error;
        return StrategyContent.RequestOf(fields.Element) is { } rest
            ? request! with { Content = request.Content with { Request = rest } }
            : ApiError.BadRequest("the request must be valid Unicode text");
    }

    private static IReadOnlyList<string> Raced(JsonFields fields, int most)
    {
        if (fields.IsSet("models"))
            return ReadModels(fields, most);
        if (!fields.IsSet("n"))
            fields.Errors.Add("models", "is required, or n: how many answers of one model");
        return Repeated(fields, most);
    }

    private static string[] Repeated(JsonFields fields, int most)
    {
        if (!fields.IsSet("n"))
            fields.Errors.Add("n", "is required: how many answers");
        int count = (int)(fields.Integer("n", 1, most) ?? 1);
        return [.. Enumerable.Repeat(Model(fields), count)];
    }

    private static IReadOnlyList<string> ReadModels(JsonFields fields, int most)
    {
        IReadOnlyList<string> models = fields.Texts("models");
        if (models.Count == 0 || models.Count > most)
            fields.Errors.Add("models", $"must be 1 to {most} names of models");
        else if (models.Any(model => model.Length == 0))
            fields.Errors.Add("models", "must have no empty name");
        return models;
    }

    private static StrategyRequest Ensemble(JsonFields fields, int most)
    {
        JsonFields? judge = fields.Object("judge");
        JsonFields? vote = fields.Object("vote");
        if (judge is null == vote is null)
            fields.Errors.Add("judge", "or vote is required, and not both");
        StrategyContent content = new()
        {
            JudgePrompt = judge is { } by ? Prompt(by, "prompt") : null,
            VoteField = vote?.Text("field"),
        };
        return new(Orchestrations.Strategies.Ensemble, ReadModels(fields, most), content) { JudgeModel = judge is { } one ? Model(one) : null };
    }

    private static StrategyRequest MapReduce(JsonFields fields)
    {
        string text = fields.Text("text") ?? "";
        if (text.Length == 0)
            fields.Errors.Add("text", "is required");
        int chunk = (int)(fields.Integer("chunk_tokens", 16, LargestChunk) ?? DefaultChunk);
        int overlap = (int)(fields.Integer("overlap_tokens", 0, LargestChunk) ?? Math.Min(DefaultOverlap, chunk / 4));
        if (overlap * 2 > chunk)
            fields.Errors.Add("overlap_tokens", "must be at most half of chunk_tokens");
        if (fields.IsSet("messages") || fields.IsSet("prompt"))
            fields.Errors.Add("prompt", "and messages do not go with map_reduce: map_prompt and reduce_prompt are asked");
        StrategyContent content = new()
        {
            MapPrompt = Prompt(fields, "map_prompt"),
            ReducePrompt = Prompt(fields, "reduce_prompt"),
            ChunkTokens = chunk,
            OverlapTokens = overlap,
        };
        return new(Orchestrations.Strategies.MapReduce, [Model(fields)], content)
        {
            Text = text,
            FanIn = (int)(fields.Integer("fan_in", 2, MostFanIn) ?? DefaultFanIn),
        };
    }

    private static string Model(JsonFields fields) => Ollama.CommonFields.ReadModel(fields);

    private static string Prompt(JsonFields fields, string name)
    {
        string prompt = fields.Text(name) ?? "";
        if (!prompt.Contains(TextMark, StringComparison.Ordinal))
            fields.Errors.Add(fields.PathOf(name), $"must be a prompt with {TextMark} in it, where the text is put in");
        return prompt;
    }
}
