using OllamaMax.Edge.Security.Limits;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;
using OllamaMax.Security;

namespace OllamaMax.Edge.Security.Usage;

/// <summary>Counts what jobs come to, for whoever's key asked. What needed no key is nobody's and is not counted.</summary>
internal sealed class UsageMeter(UsageBook usage, LimitBook limits)
{
    /// <summary>About so many bytes of text are a token, where no worker has said how many there were.</summary>
    private const int BytesPerToken = 4;

    /// <summary>Counts a job that has an output when that ends.</summary>
    public void Follow(Job job, JobOutputLog log)
    {
        if (job.Credential is { } credential)
            log.WhenEnded((end, isAccepted, tokens) => Count(job, credential, end, isAccepted, tokens));
    }

    /// <summary>Counts a background job, whose record has just come to its end.</summary>
    /// <param name="tokens">Tokens of its answer, where it has no statistics.</param>
    public void Count(JobRecord ended, int tokens)
    {
        if (ended.Credential is not { } credential)
            return;
        UseCount count = Of(ended, tokens);
        if (ended.Counted is { } before)
            count = count.Beyond(before);
        Count(ended.Tenant, credential, ended.Limits, ended.AnsweredBy ?? ended.ModelName, count);
    }

    /// <summary>What a background job has come to until now.</summary>
    /// <param name="tokens">Tokens of its answer, where it has no statistics.</param>
    public static UseCount Of(JobRecord record, int tokens) => record.Statistics is { } statistics ? Of(statistics) : Of(record.Job, record.Attempts > 0, tokens);

    /// <summary>A job that ends early has cost its worker the prompt and the tokens that were put out, whoever ended it.</summary>
    private void Count(Job job, string credential, JobOutput end, bool isAccepted, int tokens)
    {
        UseCount count = end is JobOutput.Finished { Statistics: var statistics } ? Of(statistics) : Of(job, isAccepted, tokens);
        Count(job.Tenant, credential, job.Limits, job.AnsweredBy ?? job.Model, count);
    }

    private void Count(string tenant, string credential, UsageLimits? ofKey, string model, UseCount count)
    {
        if (count == UseCount.None)
            return;
        usage.Add(tenant, credential, model, count);
        limits.Spend(tenant, credential, ofKey ?? UsageLimits.None, count.PromptTokens + count.OutputTokens);
    }

    private static UseCount Of(JobStatistics statistics) => new(1, statistics.PromptTokens, statistics.Tokens);

    /// <summary>What no worker has taken was not run.</summary>
    private static UseCount Of(Job? job, bool isAccepted, int tokens) => isAccepted ? new(1, tokens > 0 ? Estimate(job) : 0, tokens) : UseCount.None;

    private static long Estimate(Job? job) => job is null ? 0 : (job.Prompt.Length / BytesPerToken) + (job.EmbedInputs?.Sum(input => input.Length) ?? 0) / BytesPerToken;
}
