using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.DurableTask;
using Microsoft.Extensions.Options;
using OllamaMax.Jobs.Records;
using OllamaMax.Orchestrations;
using OllamaMax.Storage.Jobs;

namespace OllamaMax.Edge.Jobs.Strategies;

/// <summary>What has become of a branch's job; writes its end where nobody has yet.</summary>
internal sealed class LookAtBranch(JobRecords records) : TaskActivity<string, BranchEnd>
{
    public override async Task<BranchEnd> RunAsync(TaskActivityContext context, string input) =>
        await records.TendAsync(input, CancellationToken.None) is { } record ? new(record.Status, record.Error?.Message) : new((RecordStatus?)null);
}

/// <summary>Cancels the jobs of branches that nobody waits for any more; what has been answered by then stays so.</summary>
internal sealed class CancelBranches(JobRecords records, BackgroundJobs jobs) : TaskActivity<string[], int>
{
    public override async Task<int> RunAsync(TaskActivityContext context, string[] input)
    {
        int cancelled = 0;
        foreach (string id in input)
        {
            // Its answer may be there, and only its record not know yet.
            await records.SettleAsync(id, CancellationToken.None);
            if (await jobs.CancelAsync(id, CancellationToken.None) is { Status: RecordStatus.Cancelled })
                cancelled++;
        }
        return cancelled;
    }
}

/// <summary>Cuts a strategy's text into parts, each a blob of its own.</summary>
internal sealed class SplitText(StrategyStore strategies, IOptions<StrategyOptions> options) : TaskActivity<string, SplitOutcome>
{
    public override async Task<SplitOutcome> RunAsync(TaskActivityContext context, string input) =>
        await WhileKept.RunAsync(
            () => SplitAsync(input),
            async () => await strategies.FindAsync(input, CancellationToken.None) is not null,
            () => strategies.DeleteContentAsync(input, CancellationToken.None)) ?? new(0, BranchSubmitter.Gone.Error);

    private async Task<SplitOutcome> SplitAsync(string input)
    {
        BinaryData? json = await strategies.GetContentAsync(input, StrategyContent.Name, CancellationToken.None);
        BinaryData? text = await strategies.GetContentAsync(input, StrategyContent.Text, CancellationToken.None);
        if (json is null || text is null || JsonSerializer.Deserialize(json, StrategyContentJson.Default.StrategyContent) is not { } content)
            return new(0, BranchSubmitter.Gone.Error);
        IReadOnlyList<string> parts = TextSplitter.Split(text.ToString(), content.ChunkTokens, content.OverlapTokens);
        if (parts.Count > options.Value.MaxBranches)
            return new(parts.Count, $"the text makes {parts.Count} parts of {content.ChunkTokens} tokens; there may be {options.Value.MaxBranches}");
        for (int i = 0; i < parts.Count; i++)
            await strategies.PutContentAsync(input, StrategyContent.Part(i), new BinaryData(parts[i]), CancellationToken.None);
        return new(parts.Count);
    }
}

/// <summary>Counts what structured answers agree on: a field of theirs, or all of it. Objects with the same fields in another order are the same.</summary>
internal sealed class CountVotes(StrategyStore strategies, JobRecords records, JobResult results, VoteSeals seals) : TaskActivity<VoteInput, VoteOutcome>
{
    public override async Task<VoteOutcome> RunAsync(TaskActivityContext context, VoteInput input)
    {
        BinaryData? json = await strategies.GetContentAsync(input.StrategyId, StrategyContent.Name, CancellationToken.None);
        string? field = json is null ? null : JsonSerializer.Deserialize(json, StrategyContentJson.Default.StrategyContent)?.VoteField;
        List<(string JobId, string? Text)> answers = [];
        foreach (string id in input.JobIds)
            answers.Add((id, await records.SettleAsync(id, CancellationToken.None) is { } record ? await results.ReadTextAsync(record, CancellationToken.None) : null));
        return seals.Seal(input.StrategyId, Count(answers, field));
    }

    /// <summary>The most votes win; of several with as many the one that was given first.</summary>
    public static VoteOutcome Count(IReadOnlyList<(string JobId, string? Text)> answers, string? field)
    {
        var groups = answers
            .Select(answer => (answer.JobId, Value: ValueOf(answer.Text, field)))
            .Where(vote => vote.Value is not null)
            .GroupBy(vote => vote.Value!, StringComparer.Ordinal)
            .ToList();
        return groups.MaxBy(group => group.Count()) is { } most
            ? new(most.First().JobId, most.Key, most.Count(), answers.Count)
            : new(null, null, 0, answers.Count);
    }

    private static string? ValueOf(string? text, string? field)
    {
        try
        {
            JsonNode? answer = text is null ? null : JsonNode.Parse(text);
            JsonNode? value = field is null ? answer : (answer as JsonObject)?[field];
            return value is null ? null : Sorted(value)!.ToJsonString();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException)
        {
            // No JSON, or a name twice: no vote.
            return null;
        }
    }

    private static JsonNode? Sorted(JsonNode? node) => node switch
    {
        JsonObject all => new JsonObject(all.OrderBy(one => one.Key, StringComparer.Ordinal).Select(one => KeyValuePair.Create(one.Key, Sorted(one.Value)))),
        JsonArray all => new JsonArray([.. all.Select(Sorted)]),
        _ => node?.DeepClone(),
    };
}

/// <summary>Deletes what was kept for the branches: the request, the text and its parts. The answers stay as long as any job's.</summary>
internal sealed class FinishStrategy(StrategyStore strategies) : TaskActivity<string, bool>
{
    public override Task<bool> RunAsync(TaskActivityContext context, string input) => strategies.DeleteContentAsync(input, CancellationToken.None);
}
