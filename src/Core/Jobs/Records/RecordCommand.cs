using OllamaMax.Security;

namespace OllamaMax.Jobs.Records;

/// <summary>What may happen to a job record. <paramref name="At"/> is the clock of the edge that applies it.</summary>
public abstract record RecordCommand(DateTimeOffset At)
{
    /// <summary>
    /// A worker that holds the job's queue message asks to run it. Granted when <see cref="JobRecord.ClaimId"/> is its id afterwards.
    /// </summary>
    /// <param name="ClaimId">Drawn by the worker for this message; the same one again is answered the same way.</param>
    /// <param name="MessageId">A message that is seen twice was lost by who had it; a second message of a running job is one too many.</param>
    /// <param name="Nonce">For the attempt, should there be one.</param>
    public sealed record Claim(string ClaimId, string WorkerId, string MessageId, string Nonce, OutputFacts Output, DateTimeOffset At) : RecordCommand(At);

    /// <summary>Take from the output what it says of the current attempt, and from the clock whether the deadline has passed.</summary>
    public sealed record Settle(OutputFacts Output, DateTimeOffset At) : RecordCommand(At);

    public sealed record Cancel(DateTimeOffset At) : RecordCommand(At);

    /// <summary>An operator gives a failed job another chance; what failed before no longer counts.</summary>
    /// <param name="Counted">What the job has come to, which was counted at its end.</param>
    public sealed record Requeue(TimeSpan Deadline, UseCount Counted, DateTimeOffset At) : RecordCommand(At);

    /// <summary>Another message of a queued job was put.</summary>
    public sealed record Queued(DateTimeOffset At) : RecordCommand(At);

    /// <summary>Somebody reads the output and wants it kept until then, even where nothing is to be stored.</summary>
    public sealed record Watch(DateTimeOffset Until, DateTimeOffset At) : RecordCommand(At);

    /// <summary>Somebody wants to be sent what is added to the output.</summary>
    public sealed record Subscribe(DateTimeOffset At) : RecordCommand(At);

    /// <summary>Prompt and output have been deleted.</summary>
    public sealed record Strip(DateTimeOffset At) : RecordCommand(At);
}
