using Microsoft.Extensions.Options;
using OllamaMax.Edge.Tenants;
using OllamaMax.Edge.Webhooks;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Owning;
using OllamaMax.Jobs.Records;

namespace OllamaMax.Edge.Jobs;

/// <summary>Keeps what operators need to know of interactive jobs that were set aside: they appear under <c>/jobs</c> as failed ones.</summary>
internal sealed class PoisonRecords(JobRecords records, TenantRetention retention, OperatorNotices notices, IOptions<BackgroundOptions> options, TimeProvider time)
{
    /// <param name="job">What its edge has given up.</param>
    /// <param name="setAside">Why; its times are the owner's clock.</param>
    /// <param name="startedAt">On the owner's clock.</param>
    /// <param name="now">On the owner's clock.</param>
    /// <exception cref="Azure.RequestFailedException">Storage refused or cannot be reached: there is no record then.</exception>
    public Task KeepAsync(Job job, OwnerEffect.SetAside setAside, TimeSpan startedAt, TimeSpan now)
    {
        notices.Tell(NoticeTypes.Poison, job.Id, $"a job for {job.ModelName ?? job.Model} of {job.Tenant} was set aside: {setAside.Error.Message}");
        DateTimeOffset at = time.GetUtcNow();
        TimeSpan offset = at - (DateTimeOffset.UnixEpoch + now);
        FailedAttempt[] history = [.. setAside.History.Select(attempt => attempt with { At = attempt.At + offset })];
        TimeSpan promptKept = retention.StoresNothing(job.Tenant) ? TimeSpan.Zero : options.Value.PoisonPromptKept;
        JobRecord record = JobRecord.SetAside(job, history, setAside.Error, at - (now - startedAt), at, promptKept, options.Value.PoisonKept);
        return records.CreateAsync(record, CancellationToken.None);
    }
}
