using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;
using OllamaMax.Orchestrations;
using OllamaMax.Storage.Jobs;

namespace OllamaMax.Edge.Jobs.Strategies;

/// <summary>
/// One branch, as somebody who watches its strategy has seen it so far: the orchestration tells which job runs it, the job's output and record how far that is. Not safe for
/// concurrent use.
/// </summary>
internal sealed class BranchFollower(JobRecordStore store, JobRecords records, TimeProvider time)
{
    /// <summary>The record is looked at this often while nothing in the output says that it has ended: a deadline passes without a word there.</summary>
    private static readonly TimeSpan RecordEvery = TimeSpan.FromSeconds(5);

    private BranchView? _said;
    private string? _jobId;
    private JobOutputBlob? _output;
    private AnswerReplay? _replay;
    private JobRecord? _record;
    private long _lookedAt;
    private bool _isRead;

    /// <summary>Writes what is new of it.</summary>
    /// <param name="branch">As the orchestration has it.</param>
    public async Task WriteAsync(BranchView branch, StrategyStreamLines lines, CancellationToken cancellationToken)
    {
        if (branch.JobId is { } job && job != _jobId)
            (_jobId, _output, _replay, _record, _isRead) = (job, store.Output(job), null, null, false);
        if (branch.JobId is not null && !_isRead)
            await ReadAsync(branch, _output!, lines, cancellationToken);
        Say(branch with { Status = StatusOf(branch), Error = branch.Error ?? (_isRead ? _record?.Error?.Message : null) }, lines);
    }

    private async Task ReadAsync(BranchView branch, JobOutputBlob output, StrategyStreamLines lines, CancellationToken cancellationToken)
    {
        bool mayHaveEnded = output.Log.End is not null || output.Log.Fence is not null || IsEnded(branch.Status);
        if (_record is null || mayHaveEnded || time.GetElapsedTime(_lookedAt) >= RecordEvery)
        {
            _record = await records.SettleAsync(_jobId!, cancellationToken);
            _lookedAt = time.GetTimestamp();
        }
        if (_record is null)
            return;
        if (_record.Readable().Job is { } job)
            _replay ??= new(job);
        // After the record: where that has ended, all is there.
        IReadOnlyList<Chunk> chunks = await output.ReadAsync(cancellationToken);
        // Whose text follows is to be known before it.
        if (_said?.JobId != _jobId || (_said?.Status == RecordStatus.Queued && chunks.Count > 0))
            Say(branch with { Status = output.Log.Attempt > 0 ? RecordStatus.Running : RecordStatus.Queued, Error = null }, lines);
        foreach (Chunk chunk in chunks)
        {
            if (_replay?.Append(chunk) is { } delta)
                lines.WriteDelta(branch.Index, delta);
        }
        _isRead = _record.IsEnded;
        if (_record.Status == RecordStatus.Completed && _replay?.Complete(_record.Reason) is { } rest)
            lines.WriteDelta(branch.Index, rest);
    }

    /// <summary>The orchestration looks seldom; its job tells more of what is under way.</summary>
    private RecordStatus StatusOf(BranchView branch) =>
        IsEnded(branch.Status) ? branch.Status
        : _isRead ? _record!.Status
        : _output?.Log.Attempt > 0 ? RecordStatus.Running
        : branch.Status;

    private void Say(BranchView branch, StrategyStreamLines lines)
    {
        if (branch == _said)
            return;
        _said = branch;
        lines.WriteBranch(branch);
    }

    private static bool IsEnded(RecordStatus status) => status is RecordStatus.Completed or RecordStatus.Failed or RecordStatus.Cancelled;
}
