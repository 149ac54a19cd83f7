using Azure;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;
using OllamaMax.Security;

namespace OllamaMax.Storage.Jobs;

/// <summary>
/// A background job's output: the append blob <c>jobs/output/{id}</c>, one line of JSON after the other (<see cref="OutputLine"/>). Every
/// append says at which position: one that storage took, but whose answer was lost, is not taken twice, and who was overtaken finds out.
/// Not safe for concurrent use.
/// </summary>
/// <param name="blob">Where it lies.</param>
/// <param name="find">As <see cref="OutputLog"/> has it.</param>
/// <param name="seal">What attempts that begin here write under; null: nothing.</param>
public sealed class JobOutputBlob(AppendBlobClient blob, Func<string, ContentSeal?> find, ContentSeal? seal = null)
{
    private bool _isGone;

    /// <summary>As a worker has it.</summary>
    /// <param name="seal">The job's; null: it is not encrypted.</param>
    public JobOutputBlob(AppendBlobClient blob, ContentSeal? seal)
        : this(blob, key => key == seal?.KeyId ? seal : null, seal)
    {
    }

    public OutputLog Log { get; } = new(find);

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
    /// <exception cref="ContentKeyException">Some of it is under a key that is not known here.</exception>
    public async Task<IReadOnlyList<Chunk>> ReadAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<Chunk> chunks = await ReadOnAsync(cancellationToken);
        return Log.MissingKey is { } key ? throw new ContentKeyException(key) : chunks;
    }

    /// <summary>Reads on for <see cref="Facts"/> alone, which need no key.</summary>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached.</exception>
    public Task LookAsync(CancellationToken cancellationToken) => ReadOnAsync(cancellationToken);

    private async Task<IReadOnlyList<Chunk>> ReadOnAsync(CancellationToken cancellationToken)
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
    /// null: a newer attempt has begun, or the job is over. Where the answer has come to its end meanwhile, it is this attempt's end as well
    /// (<see cref="OutputLog.End"/>): there is nothing to run.
    /// </summary>
    public async Task<IReadOnlyList<Chunk>?> BeginAsync(Attempt attempt, CancellationToken cancellationToken)
    {
        List<Chunk> read = [];
        while (!_isGone && Log.IsOpenTo(attempt.Number) && Log.Attempt != attempt.Number)
        {
            var line = new OutputLine(attempt.Number) { Begin = new OutputBegin(attempt.WorkerId, Log.Count, seal?.KeyId) };
            if (!await TryAppendAsync(line, cancellationToken))
                read.AddRange(await ReadAsync(cancellationToken));
        }
        // Said once more, as edges of an older version heed no end but the last attempt's.
        if (IsWriter(attempt.Number) && Log is { Answer: { } answer, End: null })
            await AppendAsync(attempt.Number, new Chunk(Log.Count, [], [], []) { End = answer }, cancellationToken);
        return IsWriter(attempt.Number) ? read : null;
    }

    /// <summary>Appends a chunk of the attempt that has begun; false: a newer one has begun, or the job is over.</summary>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached: the same chunk can be tried again.</exception>
    public async Task<bool> AppendAsync(int attempt, Chunk chunk, CancellationToken cancellationToken)
    {
        while (IsWriter(attempt))
        {
            // What is there already is our own: storage had taken it, and the answer was lost.
            Chunk rest = chunk.From(Log.Count);
            bool isThere = rest.Tokens.Length == 0 && (rest.End is null || Log.End is not null);
            if (isThere || await TryAppendAsync(Line(attempt, rest), cancellationToken))
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
            await LookAsync(cancellationToken);
        while (!_isGone && Log.Fence is null && Log.Attempt <= attempt
            && !await TryAppendAsync(new OutputLine(attempt) { Fence = error }, cancellationToken));
    }

    private OutputLine Line(int attempt, Chunk chunk) =>
        seal is null ? new(attempt) { Chunk = chunk } : new(attempt) { Sealed = SealedChunk.Of(attempt, chunk, seal) };

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
