namespace OllamaMax.Jobs.Records;

/// <summary>
/// One line of a job's output blob: an attempt's begin, a chunk of it (the last one has its end), or a fence. Lines are only ever
/// appended, each at a known position, so that there is one order of them for everybody.
/// </summary>
/// <param name="Attempt">Number of the attempt that writes; of a fence, the last one that it ends.</param>
public sealed record OutputLine(int Attempt)
{
    /// <summary>Who begins to write: from here on no older attempt counts.</summary>
    public OutputBegin? Begin { get; init; }

    public Chunk? Chunk { get; init; }

    /// <summary>In the place of <see cref="Chunk"/> where the attempt has begun with a key.</summary>
    public SealedChunk? Sealed { get; init; }

    /// <summary>The job's record has ended it without an answer: nothing of this attempt or an older one counts after this line.</summary>
    public JobError? Fence { get; init; }
}

/// <param name="From">Index of the first token that it will produce.</param>
/// <param name="Key">Id of the content key that its chunks are under; null: they are readable. Those that are otherwise do not count.</param>
public sealed record OutputBegin(string WorkerId, int From, string? Key = null);
