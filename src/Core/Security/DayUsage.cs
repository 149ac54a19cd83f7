namespace OllamaMax.Security;

/// <summary>What one key has used on one day of UTC.</summary>
/// <param name="Credential">The key's id, or the subject of a token.</param>
/// <param name="Models">By the model's own name.</param>
public sealed record DayUsage(DateOnly Day, string Tenant, string Credential, IReadOnlyDictionary<string, UseCount> Models)
{
    public DayUsage Add(IReadOnlyDictionary<string, UseCount> more)
    {
        Dictionary<string, UseCount> all = Models.ToDictionary();
        foreach (var (model, count) in more)
            all[model] = all.TryGetValue(model, out UseCount? before) ? before.Add(count) : count;
        return this with { Models = all };
    }
}

/// <param name="Requests">Jobs that were run: a request for several answers counts each.</param>
public sealed record UseCount(long Requests, long PromptTokens, long OutputTokens)
{
    public UseCount Add(UseCount other) => new(Requests + other.Requests, PromptTokens + other.PromptTokens, OutputTokens + other.OutputTokens);
}
