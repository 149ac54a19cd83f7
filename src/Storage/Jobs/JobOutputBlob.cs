using Azure;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;

namespace OllamaMax.Storage.Jobs;

/// <summary>
/// A background job's output: the append blob <c>jobs/output/{id}</c>, one line of JSON after the other (<see cref="OutputLine"/>). Every
/// append says at which position: one that storage took, but whose answer was lost, is not taken twice, and who was overtaken finds out.
/// Not safe for concurrent use.
/// </summary>
public sealed class JobOutputBlob(AppendBlobClient blob)
{
    private bool _isGone;

    public OutputLog Log { get; } = new();

    /// <summary>When the last of what was read was written, by storage's clock.</summary>
    public DateTimeOffset? WrittenAt { get; private set; }

    /// <summary>Blocks that the blob has, as last heard; 50,000 are its most.</summary>
    public int Blocks { get; private set; }

    /// <summary>What it says, as far as it was read.</summary>
    public OutputFacts Facts => Log.Facts with { WrittenAt = WrittenAt };

    /// <summary>The same blob by an address with a fresh signature.</summary>
    public void Renew(AppendBlobClient renewed) => blob = renewed;

    public Task CreateIfNotExistsAsync(CancellationToken cancellationToken) => blob.CreateIfNotExistsAsync(cancellationToken: cancellationToken);

    public Task DeleteIfExistsAsync(CancellationToken cancellationToken) => blob.DeleteIfExistsAsync(cancellationToken: cancellationToken);

    /// <summary>Reads what was added since the last time and answers the chunks in it that count; none where there is no blob.</summary>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached.</exception>
    public async Task<IReadOnlyList<Chunk>> ReadAsync(CancellationToken cancellationToken)
    {
        // By position alone. An ETag may be newer than the content that came with it, and then the last lines would count as read for ever.
        var options = new BlobDownloadOptions { Range = new HttpRange(Log.Length) };
        try
        {
            BlobDownloadResult result = await blob.DownloadContentAsync(options, cancellationToken);
            WrittenAt = result.Details.LastModified;
            return Log.Read(result.Content.ToMemory().Span);
        }
        catch (RequestFailedException e) when (e.Status is 404 or 416)
        {
            // Not there, or nothing behind what was read.
            return [];
        }
    }

    /// <summary>
    /// Begins an attempt where the tokens end. Answers the chunks that were read in doing so, written in the last moment by the one before;
    /// null: a newer attempt has begun, or the job is over.
    /// </summary>
    public async Task<IReadOnlyList<Chunk>?> BeginAsync(Attempt attempt, CancellationToken cancellationToken)
    {
        List<Chunk> read = [];
        while (!_isGone && Log.IsOpenTo(attempt.Number) && Log.Attempt != attempt.Number)
        {
            var line = new OutputLine(attempt.Number) { Begin = new OutputBegin(attempt.WorkerId, Log.Tokens.Count) };
            if (!await TryAppendAsync(line, cancellationToken))
                read.AddRange(await ReadAsync(cancellationToken));
        }
        return IsWriter(attempt.Number) ? read : null;
    }

    /// <summary>Appends a chunk of the attempt that has begun; false: a newer one has begun, or the job is over.</summary>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached: the same chunk can be tried again.</exception>
    public async Task<bool> AppendAsync(int attempt, Chunk chunk, CancellationToken cancellationToken)
    {
        while (IsWriter(attempt))
        {
            // What is there already is our own: storage had taken it, and the answer was lost.
            Chunk rest = chunk.From(Log.Tokens.Count);
            bool isThere = rest.Tokens.Length == 0 && (rest.End is null || Log.End is not null);
            if (isThere || await TryAppendAsync(new OutputLine(attempt) { Chunk = rest }, cancellationToken))
                return true;
            await ReadAsync(cancellationToken);
        }
        return false;
    }

    /// <summary>Writes that the job is over without an answer, so that nobody writes after it and everybody who reads hears of it.</summary>
    /// <param name="attempt">The last attempt that was issued.</param>
    public async Task FenceAsync(int attempt, JobError error, CancellationToken cancellationToken)
    {
        await CreateIfNotExistsAsync(cancellationToken);
        do
            await ReadAsync(cancellationToken);
        while (!_isGone && Log.Fence is null && Log.Attempt <= attempt
            && !await TryAppendAsync(new OutputLine(attempt) { Fence = error }, cancellationToken));
    }

    private bool IsWriter(int attempt) => !_isGone && Log.Attempt == attempt && Log.IsOpenTo(attempt);

    /// <summary>False: something else stands at this position, to be read first.</summary>
    private async Task<bool> TryAppendAsync(OutputLine line, CancellationToken cancellationToken)
    {
        byte[] bytes = OutputLog.Write(line);
        var options = new AppendBlobAppendBlockOptions
        {
            Conditions = new AppendBlobRequestConditions { IfAppendPositionEqual = Log.Length },
        };
        try
        {
            using var content = new MemoryStream(bytes);
            BlobAppendInfo info = await blob.AppendBlockAsync(content, options, cancellationToken);
            Blocks = info.BlobCommittedBlockCount;
            WrittenAt = info.LastModified;
            Log.Read(bytes);
            return true;
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.AppendPositionConditionNotMet)
        {
            return false;
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.BlobNotFound)
        {
            // The job was deleted, or its time is over.
            _isGone = true;
            return false;
        }
    }
}
